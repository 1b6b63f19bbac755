/**
 * How slow the transfer of a frame may be, in either direction. There is no separate deadline: a
 * frame of n bytes cannot take longer than graceMs + n / bytesPerSecondMin.
 */
export interface Pace {
  /** Time over which throughput is measured, in milliseconds: enough for any small frame. */
  readonly graceMs: number
  /** Least mean throughput, in bytes per second. */
  readonly bytesPerSecondMin: number
}

/** A modem gives 4 KiB/s and cannot take part; the slowest mobile uplinks give 16 KiB/s. */
export const paceDefaults: Pace = { graceMs: 10_000, bytesPerSecondMin: 16 * 2 ** 10 }

/** Watches one frame. Each stretch of graceMs counts for itself, so an early burst earns no rest. */
export class PaceWatch {
  readonly #pace: Pace
  #sinceMs: number
  #bytesThen = 0

  constructor(pace: Pace, nowMs: number) {
    this.#pace = pace
    this.#sinceMs = nowMs
  }

  /** @param bytes - of the frame that went over so far */
  isTooSlow(bytes: number, nowMs: number): boolean {
    const elapsedMs = nowMs - this.#sinceMs
    if (elapsedMs < this.#pace.graceMs) return false
    const moved = bytes - this.#bytesThen
    if (moved * 1000 < this.#pace.bytesPerSecondMin * elapsedMs) return true
    this.#sinceMs = nowMs
    this.#bytesThen = bytes
    return false
  }
}
