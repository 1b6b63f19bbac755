import { Bucket } from './bucket.ts'
import type { RelayLimits } from './limits.ts'

const dayMs = 86_400_000
/** What may pass at once before the pace is held: a tenth of a second's worth. */
const burstSeconds = 0.1

/** What all relayed connections share: a pace, and a day's worth of bytes. */
export class Budget {
  readonly #bytesPerDay: number
  readonly #pace: Bucket
  #dayBytes = 0
  #dayStartMs: number
  #bytes = 0

  constructor({ bytesPerSecond, bytesPerDay }: RelayLimits, nowMs: number) {
    this.#pace = new Bucket(bytesPerSecond, bytesPerSecond * burstSeconds, nowMs)
    this.#bytesPerDay = bytesPerDay
    this.#dayStartMs = nowMs
  }

  /** Since we live. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether this day's bytes are used up. */
  isSpent(nowMs: number): boolean {
    if (nowMs - this.#dayStartMs >= dayMs) {
      this.#dayStartMs = nowMs
      this.#dayBytes = 0
    }
    return this.#dayBytes >= this.#bytesPerDay
  }

  /** @returns how long whoever sent them should wait before sending more, in milliseconds */
  spend(bytes: number, nowMs: number): number {
    this.#bytes += bytes
    this.#dayBytes += bytes
    return this.#pace.take(bytes, nowMs)
  }
}
