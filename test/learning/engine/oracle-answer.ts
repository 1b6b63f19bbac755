/** What a model comes to for its batch (layer-cases.ts) and parameters (models.ts). */
export interface OracleAnswer {
  /** Of the batch, as in training. */
  readonly loss: number
  /** Shape [P]. */
  readonly gradient: readonly number[]
  /** In inference mode. */
  readonly scores: readonly number[]
  /** Shape [P]: running statistics after the step; 0 for all that is trained. */
  readonly statistics: readonly number[]
}

/** Of layers that draw numbers. */
export const oracleSeed = 12_345
