import { weightedSum } from '../vectors/sum.ts'
import { inMergeOrder, sharesOf } from './order.ts'
import type { MergeRule } from './rule.ts'

/**
 * The weighted average of all models (FedAvg, DecAvg, D-PSGD: they differ in the weights alone).
 *
 *     merged[p] = Σᵢ weightᵢ · parametersᵢ[p] / Σᵢ weightᵢ      over own and others
 *
 * Sums in double precision and rounds once, so equal models stay bit for bit as they are, and the
 * result lies between the smallest and the largest input. Tensors of role `statistic` describe the
 * data that a peer has seen, not what it has learned: ours stay ours.
 */
export const average: MergeRule = (own, others, layout) => {
  const models = inMergeOrder(own, others, layout)
  const merged = weightedSum(
    models.map(({ parameters }) => parameters),
    sharesOf(models)
  )
  for (const { role, offset, size } of layout.tensors) {
    if (role === 'statistic') merged.set(own.parameters.subarray(offset, offset + size), offset)
  }
  return merged
}
