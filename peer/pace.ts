/**
 * How slow the transfer of a frame may be, in either direction. There is no separate deadline: a
 * frame of n bytes cannot take longer than graceMs + n / bytesPerSecondMin.
 */
export interface Pace {
  /** Time before the rule applies, in milliseconds: enough for any small frame. */
  readonly graceMs: number
  /** Least mean throughput, in bytes per second. */
  readonly bytesPerSecondMin: number
}

/** A modem gives 4 KiB/s and cannot take part; the slowest mobile uplinks give 16 KiB/s. */
export const paceDefaults: Pace = { graceMs: 10_000, bytesPerSecondMin: 16 * 2 ** 10 }

/** Whether a frame of which `bytes` went over in `elapsedMs` is too slow. */
export function isTooSlow(pace: Pace, bytes: number, elapsedMs: number): boolean {
  return elapsedMs >= pace.graceMs && bytes * 1000 < pace.bytesPerSecondMin * elapsedMs
}
