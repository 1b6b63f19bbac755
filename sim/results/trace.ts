import { createHash } from 'node:crypto'
import { bytesOf } from '../../src/core/digest.ts'

/** One line about something that happened, as `events.ndjson` shows it. */
export interface TraceEvent {
  readonly index: number
  readonly virtualMs: number
  /** Null when it happened to the world rather than to one peer. */
  readonly peer: string | null
  /** What a machine was told, what it told us, or what befell it. */
  readonly source: 'input' | 'event' | 'world'
  readonly what: object
}

/**
 * A run's fingerprint: SHA-256 over every event with its content, and over the parameters in the
 * end. Two runs with one digest saw the same events, of the same content, at the same times.
 */
export class Trace {
  readonly #hash = createHash('sha256')
  readonly #prints = new WeakMap<ArrayBufferView, string>()
  readonly #onLine: ((line: string) => void) | undefined
  #count = 0
  /** Lines that still have to go into the hash. */
  #unhashed = ''

  /** @param onLine - told each event as one line of JSON */
  constructor(onLine?: (line: string) => void) {
    this.#onLine = onLine
  }

  get count(): number {
    return this.#count
  }

  add({ virtualMs, peer, source, what }: Omit<TraceEvent, 'index'>): void {
    const event: TraceEvent = { index: this.#count++, virtualMs, peer, source, what }
    const line = JSON.stringify(this.#printed(event))
    this.#unhashed += line + '\n'
    if (this.#unhashed.length >= hashedAtOnce) this.#hashLines()
    this.#onLine?.(line)
  }

  /** 64 hex digits; the trace ends with it. */
  digest(parameters: readonly Float32Array[]): string {
    this.#hashLines()
    for (const array of parameters) this.#hash.update(bytesOf(array))
    return this.#hash.digest('hex')
  }

  #hashLines(): void {
    this.#hash.update(this.#unhashed)
    this.#unhashed = ''
  }

  /**
   * The same with a print in place of each array of numbers; copied only as far as there is one. Told
   * to replace values as it writes, JSON.stringify would call back for every one of them.
   */
  #printed<T extends object>(value: T): T | string {
    if (ArrayBuffer.isView(value)) return this.#print(value)
    if ('toJSON' in value) return value // says itself how it is shown
    let copy: Record<string, unknown> | undefined
    // Unlike Object.entries, this makes nothing that has to be collected; what is told is plain data.
    for (const key in value) {
      const member: unknown = value[key]
      if (typeof member !== 'object' || member === null) continue
      const printed = this.#printed(member)
      if (printed === member) continue
      copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>
      copy[key] = printed
    }
    return copy === undefined ? value : (copy as T)
  }

  /** Arrays that travel are not written to, so one look at each is enough. */
  #print(array: ArrayBufferView): string {
    let print = this.#prints.get(array)
    if (print === undefined) {
      print = `${array.byteLength}:${fingerprint(array).toString(16)}`
      this.#prints.set(array, print)
    }
    return print
  }
}

/**
 * A cheap 32-bit hash of an array's bits: FNV-1a over 32-bit words in four lanes, then over the lanes
 * and the bytes that are left. Each step is a bijection of the state, so a change in any one word always
 * shows. Four lanes do not wait for each other: that halves the time (measured).
 */
export function fingerprint(array: ArrayBufferView): number {
  const bytes = bytesOf(array)
  const count = bytes.byteOffset % 4 === 0 ? (bytes.length >>> 4) << 2 : 0
  const words = new Uint32Array(bytes.buffer, count === 0 ? 0 : bytes.byteOffset, count)
  let [a, b, c, d] = [offsetBasis, offsetBasis, offsetBasis, offsetBasis]
  for (let i = 0; i < count; i += 4) {
    a = Math.imul(a ^ (words[i] as number), prime)
    b = Math.imul(b ^ (words[i + 1] as number), prime)
    c = Math.imul(c ^ (words[i + 2] as number), prime)
    d = Math.imul(d ^ (words[i + 3] as number), prime)
  }
  let hash = offsetBasis
  for (const lane of [a, b, c, d]) hash = Math.imul(hash ^ lane, prime)
  for (let i = 4 * count; i < bytes.length; i++)
    hash = Math.imul(hash ^ (bytes[i] as number), prime)
  return hash >>> 0
}

const offsetBasis = 0x811c9dc5
const prime = 0x01000193
/** Characters: short updates of the hash cost more than what they hash. */
const hashedAtOnce = 2 ** 15
