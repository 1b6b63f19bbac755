import { assert } from '../../core/assert.ts'
import { StarlingError } from '../../core/errors.ts'
import type { Layout } from '../layout.ts'
import type { WeightedModel } from './rule.ts'

/**
 * All models of a merge in the one order in which every rule sums them: by sender, character by
 * character. Float addition is not associative, and the order of arrival differs between peers.
 *
 * @throws STARLING_SHAPE_MISMATCH when a model is not of shape [P]
 */
export function inMergeOrder(
  own: WeightedModel,
  others: readonly WeightedModel[],
  layout: Layout
): WeightedModel[] {
  const models = [own, ...others]
  for (const { from, parameters, weight } of models) {
    assert(
      weight > 0 && Number.isFinite(weight),
      `the weight of a model is positive, got ${weight}`
    )
    if (parameters.length !== layout.parameterCount) {
      throw new StarlingError(
        'STARLING_SHAPE_MISMATCH',
        `the model of ${from} has ${parameters.length} parameters, the task has ` +
          `${layout.parameterCount}; both peers must work on the same task`,
        { from, expected: layout.parameterCount, received: parameters.length }
      )
    }
  }
  assert(new Set(models.map(({ from }) => from)).size === models.length, 'one model per sender')
  return models.sort((a, b) => (a.from < b.from ? -1 : 1))
}

/** Each model's share of the sum of weights, in the models' order. */
export function sharesOf(models: readonly WeightedModel[]): number[] {
  const largest = models.reduce((most, { weight }) => Math.max(most, weight), 0)
  // Relative to the largest, so that huge weights do not sum to infinity.
  const weights = models.map(({ weight }) => weight / largest)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}
