import { relaysKnownMax } from '../../src/core/limits.ts'

export interface RelayBookOptions {
  /** Relays to keep a place at, and as many again of those that the user named. */
  readonly wanted: number
  /** First pause after a failure, in milliseconds; doubles with every further one. */
  readonly pauseMs: number
  /** Longest pause, in milliseconds. */
  readonly pauseMsMax: number
}

interface Known {
  readonly peer: string
  /** Named by the user: tried before others, and never forgotten. */
  isTrusted: boolean
  isHeld: boolean
  failures: number
  /** Not to be tried before. */
  notBeforeMs: number
}

/**
 * Which relays we know, hold and try next. No clock and no chance of its own: time and a number from
 * 0 to 1 are handed in.
 */
export class RelayBook {
  readonly #options: RelayBookOptions
  readonly #known = new Map<string, Known>()

  constructor(options: RelayBookOptions) {
    this.#options = options
  }

  /** There is such a relay, and we have just seen it or heard of it: worth an attempt soon. */
  know(peer: string, nowMs: number, isTrusted = false): void {
    const known = this.#known.get(peer)
    if (known !== undefined) {
      known.isTrusted ||= isTrusted
      known.notBeforeMs = Math.min(known.notBeforeMs, nowMs + this.#options.pauseMs)
      return
    }
    this.#known.set(peer, { peer, isTrusted, isHeld: false, failures: 0, notBeforeMs: nowMs })
    if (this.#known.size > relaysKnownMax) this.#forgetOne()
  }

  hold(peer: string): void {
    const known = this.#known.get(peer)
    if (known === undefined) return
    known.isHeld = true
    known.failures = 0
  }

  /** An attempt failed, or a relay that we held is gone. */
  failed(peer: string, nowMs: number, chance: number): void {
    const known = this.#known.get(peer)
    if (known === undefined) return
    known.isHeld = false
    const { pauseMs, pauseMsMax } = this.#options
    const wholeMs = Math.min(pauseMsMax, pauseMs * 2 ** known.failures)
    known.failures++
    // Half of it by chance: those who lost one relay together do not come back together.
    known.notBeforeMs = nowMs + wholeMs * (0.5 + chance / 2)
  }

  /** No relay after all. */
  forget(peer: string): void {
    this.#known.delete(peer)
  }

  get size(): number {
    return this.#known.size
  }

  get held(): string[] {
    return [...this.#known.values()].filter(({ isHeld }) => isHeld).map(({ peer }) => peer)
  }

  /**
   * Whom to try, and when at the earliest; undefined when all is well or nobody is left. Those that
   * the user named get their places even where strangers were quicker.
   */
  next(): { readonly peer: string; readonly notBeforeMs: number } | undefined {
    const { wanted } = this.#options
    const all = [...this.#known.values()]
    const held = all.filter(({ isHeld }) => isHeld)
    const places = wanted - held.length
    const trustedPlaces = wanted - held.filter(({ isTrusted }) => isTrusted).length
    return all
      .filter(({ isHeld, isTrusted }) => !isHeld && (isTrusted ? trustedPlaces : places) > 0)
      .sort(
        (a, b) =>
          a.notBeforeMs - b.notBeforeMs ||
          Number(b.isTrusted) - Number(a.isTrusted) ||
          a.failures - b.failures
      )[0]
  }

  #forgetOne(): void {
    const [worst] = [...this.#known.values()]
      .filter(({ isTrusted, isHeld }) => !isTrusted && !isHeld)
      .sort((a, b) => b.failures - a.failures)
    if (worst !== undefined) this.#known.delete(worst.peer)
  }
}
