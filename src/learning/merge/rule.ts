import type { Layout } from '../layout.ts'

/** A model on its way into a merge, with the weight that the receiver gives it. */
export interface WeightedModel {
  /** Who it is from; merging sums in this order, so that two peers with one set get the same bits. */
  readonly from: string
  /** Shape [P], finite (the receive gate saw to it). Not changed. */
  readonly parameters: Float32Array
  /** Positive; only the ratios matter. Chosen by the receiver, never taken from the sender as is. */
  readonly weight: number
}

/**
 * Makes one model of several. Pure: same inputs in any order, same bits.
 *
 * Every rule passes test/learning/merge/contract.ts: one model alone stays as it is, equal models stay as
 * they are, the order of `others` does not matter, inputs are not written to, the result is finite.
 *
 * @param own - ours
 * @param others - at most one per sender; may be empty
 * @param layout - of all of them
 * @returns a new array of shape [P]
 * @throws STARLING_SHAPE_MISMATCH when a model is not of shape [P]
 */
export type MergeRule = (
  own: WeightedModel,
  others: readonly WeightedModel[],
  layout: Layout
) => Float32Array
