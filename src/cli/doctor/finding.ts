export const marks = { ok: '✓', absent: '–', warning: '!', failure: '✗' } as const

/** One thing that was looked at. */
export interface Finding {
  readonly name: string
  /** `absent`: not there, and not needed. */
  readonly verdict: keyof typeof marks
  readonly what: string
  /** What to do about it. */
  readonly remedy?: string
}
