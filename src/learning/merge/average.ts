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
  const sums = new Float64Array(Math.min(blockSize, merged.length))

  for (let start = 0; start < merged.length; start += blockSize) {
    const block = sums.subarray(0, merged.length - start)
    const parts = models.map(({ parameters }) => parameters.subarray(start, start + block.length))
    block.fill(-0) // what adds nothing: 0 + −0 would lose the sign of a zero
    let next = 0
    for (; next + 3 <= parts.length; next += 3) addThree(block, parts, shares, next)
    for (; next < parts.length; next++) addOne(block, parts, shares, next)
    merged.set(block, start)
  }

  for (const { role, offset, size } of layout.tensors) {
    if (role === 'statistic') merged.set(own.parameters.subarray(offset, offset + size), offset)
  }
  return merged
}

function addOne(
  sums: Float64Array,
  parts: readonly Float32Array[],
  shares: readonly number[],
  index: number
): void {
  const part = parts[index] as Float32Array
  const share = shares[index] as number
  const length = sums.length // asked for at every turn, it costs more than the addition
  for (let i = 0; i < length; i++) {
    sums[i] = (sums[i] as number) + share * (part[i] as number)
  }
}

/** The additions of three calls of `addOne`, in their order, in two thirds of the time. */
function addThree(
  sums: Float64Array,
  parts: readonly Float32Array[],
  shares: readonly number[],
  index: number
): void {
  const [a, b, c] = parts.slice(index, index + 3) as Three<Float32Array>
  const [shareA, shareB, shareC] = shares.slice(index, index + 3) as Three<number>
  const length = sums.length
  for (let i = 0; i < length; i++) {
    sums[i] =
      (sums[i] as number) +
      shareA * (a[i] as number) +
      shareB * (b[i] as number) +
      shareC * (c[i] as number)
  }
}

type Three<T> = [T, T, T]
