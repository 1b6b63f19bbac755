import type { Rig } from '../rig.ts'

/** Something that happens to a swarm behind routers, and what must come of it. */
export interface Case {
  readonly question: string
  /** Of every access line, each way, in milliseconds; 0 where it does not matter. */
  readonly delayMs?: number
  run(rig: Rig, onProgress: (line: string) => void): Promise<Outcome>
}

export interface Outcome {
  /** What was measured; null: it did not happen in time. */
  readonly facts: Readonly<Record<string, number | string | boolean | null>>
  readonly pass: boolean
}

export interface CaseResult extends Outcome {
  readonly name: string
  readonly question: string
}

/** Of a moment that came, and came in time. */
export function isWithin(seconds: number | null, most: number): boolean {
  return seconds !== null && seconds <= most
}
