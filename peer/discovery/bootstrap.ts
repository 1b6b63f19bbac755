import type { PeerAddress } from '../network/addresses.ts'
import type { Guard } from '../guarded.ts'
import { reasonOf } from '../reason.ts'

export interface BootstrapOptions {
  /** First pause after a failure, in milliseconds; doubles with every further one. */
  readonly pauseMs: number
  /** Longest pause, in milliseconds. */
  readonly pauseMsMax: number
}

export const bootstrapDefaults: BootstrapOptions = { pauseMs: 1_000, pauseMsMax: 60_000 }

export type BootstrapEvent =
  | { readonly kind: 'bootstrap-reached'; readonly address: string }
  | {
      readonly kind: 'bootstrap-unreachable'
      readonly address: string
      readonly reason: string
      readonly retryInMs: number
    }

export interface BootstrapComponents {
  readonly guard: Guard
  readonly nowMs: () => number
  readonly dial: (bootstrap: PeerAddress) => Promise<void>
  readonly isConnected: (peer: string) => boolean
  readonly onEvent: (event: BootstrapEvent) => void
}

/** Whoever hangs up within this time, in milliseconds, and so often in a row, does not want us. */
const hungUpMs = 2_000
const hungUpsMax = 3
const hungUp = 'it hangs up at once: it may be a private swarm whose allow list has not our peer id'

/** One bootstrap peer as we are trying to keep it. */
interface Kept {
  readonly bootstrap: PeerAddress
  /** Failures in a row; a connection that did not last counts as one. */
  failures: number
  connectedAtMs: number | undefined
  timer: NodeJS.Timeout | undefined
}

/**
 * Dials every bootstrap peer that is not connected, for as long as we live: a swarm that lost all of
 * them is found again when one comes back.
 */
export class Bootstraps {
  readonly #parts: BootstrapComponents
  readonly #options: BootstrapOptions
  readonly #kept: Kept[] = []
  #stopped = false

  constructor(
    bootstraps: readonly PeerAddress[],
    parts: BootstrapComponents,
    options: BootstrapOptions
  ) {
    this.#parts = parts
    this.#options = options
    for (const bootstrap of bootstraps) this.#keep(bootstrap)
  }

  start(): void {
    for (const kept of this.#kept) this.#schedule(kept, 0)
  }

  /** One more, from now on. */
  add(bootstrap: PeerAddress): void {
    if (this.#find(bootstrap) !== undefined) return
    this.#schedule(this.#keep(bootstrap), 0)
  }

  /** Dial it no more; a connection that is there stays. */
  remove(bootstrap: PeerAddress): void {
    const kept = this.#find(bootstrap)
    if (kept === undefined) return
    clearTimeout(kept.timer)
    this.#kept.splice(this.#kept.indexOf(kept), 1)
  }

  /** A peer's last connection is gone. */
  peerDown(peer: string): void {
    for (const kept of this.#kept) {
      if (kept.bootstrap.peer !== peer || kept.connectedAtMs === undefined) continue
      // Whoever is thrown out again at once (full, banned, not wanted) comes back ever later.
      const lastedMs = this.#parts.nowMs() - kept.connectedAtMs
      kept.failures = lastedMs < this.#options.pauseMsMax ? kept.failures + 1 : 0
      kept.connectedAtMs = undefined
      const retryInMs = this.#pauseMs(kept)
      this.#schedule(kept, retryInMs)
      if (lastedMs < hungUpMs && kept.failures >= hungUpsMax) {
        const address = kept.bootstrap.address.toString()
        this.#parts.onEvent({ kind: 'bootstrap-unreachable', address, reason: hungUp, retryInMs })
      }
    }
  }

  stop(): void {
    this.#stopped = true
    for (const { timer } of this.#kept) clearTimeout(timer)
  }

  #keep(bootstrap: PeerAddress): Kept {
    const kept = { bootstrap, failures: 0, connectedAtMs: undefined, timer: undefined }
    this.#kept.push(kept)
    return kept
  }

  #find({ address }: PeerAddress): Kept | undefined {
    return this.#kept.find(({ bootstrap }) => bootstrap.address.equals(address))
  }

  #schedule(kept: Kept, afterMs: number): void {
    if (this.#stopped || !this.#kept.includes(kept)) return
    clearTimeout(kept.timer)
    const attempt = this.#parts.guard.wrap('dialing a bootstrap peer', () => this.#attempt(kept))
    kept.timer = setTimeout(attempt, afterMs)
  }

  async #attempt(kept: Kept): Promise<void> {
    const { dial, isConnected, nowMs, onEvent } = this.#parts
    const address = kept.bootstrap.address.toString()
    try {
      await dial(kept.bootstrap)
      if (this.#stopped) return
      kept.connectedAtMs = nowMs()
      onEvent({ kind: 'bootstrap-reached', address })
      // It may have gone down while we were waiting to be told that it is up.
      if (!isConnected(kept.bootstrap.peer)) this.peerDown(kept.bootstrap.peer)
    } catch (failure) {
      if (this.#stopped) return
      kept.failures++
      const retryInMs = this.#pauseMs(kept)
      this.#schedule(kept, retryInMs)
      onEvent({ kind: 'bootstrap-unreachable', address, reason: reasonOf(failure), retryInMs })
    }
  }

  /** Doubling, and half of it by chance: a swarm that lost its bootstrap does not come back at once. */
  #pauseMs({ failures }: Kept): number {
    const { pauseMs, pauseMsMax } = this.#options
    const wholeMs = Math.min(pauseMsMax, pauseMs * 2 ** Math.max(0, failures - 1))
    return Math.round(wholeMs * (0.5 + Math.random() / 2))
  }
}
