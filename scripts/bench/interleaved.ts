import { median } from './median.ts'

/**
 * What each of several things costs, in milliseconds of processor time, for others may be at work too.
 * They take turns, so that a busy machine slows all; medians, so that a pause counts once.
 */
export function interleavedMs<Things extends Record<string, () => unknown>>(
  things: Things,
  rounds: number
): Record<keyof Things, number> {
  const timed = Object.entries(things).map(([name, run]) => ({ name, run, times: [] as number[] }))
  for (let round = 0; round < rounds; round++) {
    for (const { run, times } of timed) times.push(timeMs(run))
  }
  const medians = timed.map(({ name, times }) => [name, median(times)])
  return Object.fromEntries(medians) as Record<keyof Things, number>
}

function timeMs(run: () => unknown): number {
  const start = process.cpuUsage()
  run()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}
