import { Random } from '../../src/core/random.ts'
import {
  dequantise4,
  dequantise8,
  fromBfloat16,
  fromFloat16,
  quantise4,
  quantise8,
  toBfloat16,
  toFloat16,
  topIndices,
  weightedSum
} from '../../src/learning/vectors/vectors.ts'
import { interleavedMs } from './interleaved.ts'

/** Kernels on long vectors: what models are merged with, and made small with. */

const million = 1e6
const rounds = 21

interface Speed {
  /** Of float32 that go in when encoding, or come out when decoding, in a second of processor time. */
  readonly gigabytesPerSecond: number
}

/** Encoding and decoding a million parameters, and choosing the largest 1 % of them. */
export function benchCodec(): Record<string, Speed> {
  const values = drawn(0)
  const half = toFloat16(values)
  const upper = toBfloat16(values)
  const eight = quantise8(values)
  const four = quantise4(values)
  const dice = { seed: 1 }
  const times = interleavedMs(
    {
      float16: () => toFloat16(values),
      'float16-decode': () => fromFloat16(half),
      bfloat16: () => toBfloat16(values),
      'bfloat16-decode': () => fromBfloat16(upper),
      int8: () => quantise8(values),
      'int8-dice': () => quantise8(values, dice),
      'int8-decode': () => dequantise8(eight),
      int4: () => quantise4(values),
      'int4-dice': () => quantise4(values, dice),
      'int4-decode': () => dequantise4(four),
      'top-1%': () => topIndices(values, values.length / 100)
    },
    rounds
  )
  return Object.fromEntries(
    Object.entries(times).map(([name, ms]) => [
      name,
      { gigabytesPerSecond: values.byteLength / ms / 1e6 }
    ])
  )
}

export interface MergeCost {
  readonly mergeMs: number
  /** Of the time; a bandwidth of 0.8 of a copy's is a ratio of 1.25. */
  readonly ratioToCopy: number
}

/** What a weighted sum of k vectors costs, its new array included, against copying the k vectors. */
export function benchWeightedSum(): Record<string, MergeCost> {
  const costs: Record<string, MergeCost> = {}
  for (const { size, length, rounds } of [
    { size: '1M', length: million, rounds: 21 },
    { size: '25M', length: 25 * million, rounds: 5 }
  ]) {
    for (const count of [2, 4, 8]) {
      const vectors = Array.from({ length: count }, (_, index) => repeated(drawn(index), length))
      const weights = vectors.map((_, index) => 1 / (1 + index))
      const target = new Float32Array(count * length)
      const copy = (): void => {
        for (const [index, vector] of vectors.entries()) target.set(vector, index * length)
      }
      const times = interleavedMs({ copy, sum: () => weightedSum(vectors, weights) }, rounds)
      costs[`sum of ${count} of ${size}`] = {
        mergeMs: times.sum,
        ratioToCopy: times.sum / times.copy
      }
    }
  }
  return costs
}

/** A million numbers, spread like parameters. */
function drawn(seed: number): Float32Array<ArrayBuffer> {
  const random = new Random('bench').fork(seed)
  return Float32Array.from({ length: million }, () => random.next() + random.next() - 1)
}

function repeated(values: Float32Array, length: number): Float32Array<ArrayBuffer> {
  const out = new Float32Array(length)
  for (let start = 0; start < length; start += values.length) out.set(values, start)
  return out
}
