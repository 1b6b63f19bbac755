import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { topIndices } from '../../../src/learning/vectors/vectors.ts'
import { anyFloats, differenceOf, length, moderate, seed } from './samples.ts'

/** By sorting: NaN above all, then magnitude, then the lower index. */
function sorted(values: Float32Array, k: number): Uint32Array {
  const bits = new Uint32Array(values.slice().buffer).map((code) => code & 0x7fffffff)
  const order = Array.from(values.keys()).sort((i, j) => bits[j]! - bits[i]! || i - j)
  return Uint32Array.from(order.slice(0, k)).sort()
}

describe('the largest elements', () => {
  it('are those that sorting finds, ascending', () => {
    fc.assert(
      fc.property(length, seed, fc.double({ min: 0, max: 1, noNaN: true }), (n, dice, share) => {
        const k = Math.round(share * n)
        for (const values of [moderate(n, dice), anyFloats(n, dice)]) {
          expect(differenceOf(topIndices(values, k), sorted(values, k))).toBe('')
        }
      })
    )
  })

  it('are the first of those that are equal, whatever their sign', () => {
    const values = Float32Array.of(0, 2, -2, 3, 2, -2)
    expect(topIndices(values, 3)).toEqual(Uint32Array.of(1, 2, 3))
    expect(topIndices(new Float32Array(1000).fill(-1), 3)).toEqual(Uint32Array.of(0, 1, 2))
  })

  it('of part of a larger array are counted from where the part begins', () => {
    expect(topIndices(Float32Array.of(9, 1, 5, 2).subarray(1), 1)).toEqual(Uint32Array.of(1))
  })

  it('are neither fewer than none nor more than all', () => {
    for (const k of [-1, 4, 1.5, NaN]) {
      expect(() => topIndices(new Float32Array(3), k)).toThrow(
        expect.objectContaining({ code: 'STARLING_BAD_ARGUMENT' })
      )
    }
  })
})
