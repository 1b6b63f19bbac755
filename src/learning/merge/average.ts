import { inMergeOrder, sharesOf } from './order.ts'
import type { MergeRule } from './rule.ts'

/** Elements summed at a time: 16 KiB of doubles stay in the first-level cache. */
const blockSize = 2048

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
  const shares = sharesOf(models)
  const merged = new Float32Array(layout.parameterCount)
  const sums = new Float64Array(blockSize)

  for (let start = 0; start < merged.length; start += blockSize) {
    const length = Math.min(blockSize, merged.length - start)
    for (const [index, { parameters }] of models.entries()) {
      const share = shares[index] as number
      // The first product replaces the sum: 0 + −0 would lose the sign of a zero.
      if (index === 0) {
        for (let i = 0; i < length; i++) sums[i] = share * (parameters[start + i] as number)
      } else {
        for (let i = 0; i < length; i++) {
          sums[i] = (sums[i] as number) + share * (parameters[start + i] as number)
        }
      }
    }
    for (let i = 0; i < length; i++) merged[start + i] = sums[i] as number
  }

  for (const { role, offset, size } of layout.tensors) {
    if (role === 'statistic') merged.set(own.parameters.subarray(offset, offset + size), offset)
  }
  return merged
}
