import { describe, expect, it } from 'vitest'
import type { LayerSpec } from '../../../src/learning/layers/layers.ts'
import { engineOf, given, gradientOf } from './room.ts'

/** One channel, row by row. */
const image = [
  [1, 5, 2, 0],
  [3, 4, 8, 1],
  [9, 7, 6, 2]
].flat()

function pooled(pool: LayerSpec): number[] {
  const engine = engineOf([3, 4, 1], [{ ...pool, name: 'pool' }, { kind: 'flatten' }])
  return given(engine, 'pool', image)
}

describe('pooling', () => {
  it('takes the largest number, or the mean, of each window, and leaves out what no window covers', () => {
    expect(pooled({ kind: 'maxPool2d', poolSize: 2 })).toEqual([5, 8])
    expect(pooled({ kind: 'avgPool2d', poolSize: 2 })).toEqual([13 / 4, 11 / 4])
  })

  it('slides windows by their strides', () => {
    expect(pooled({ kind: 'maxPool2d', poolSize: [2, 1], strides: [1, 3] })).toEqual([3, 1, 9, 2])
    expect(pooled({ kind: 'avgPool2d', poolSize: [1, 3], strides: [2, 1] })).toEqual(
      [8, 7, 22, 15].map((sum) => Math.fround(Math.fround(sum) * Math.fround(1 / 3)))
    )
  })

  it('lets windows reach beyond the image where padding is same, the odd row after it', () => {
    // Three rows by two: nothing above, one row below.
    expect(pooled({ kind: 'maxPool2d', poolSize: 2, padding: 'same' })).toEqual([5, 8, 9, 6])
  })

  it('counts only what lies inside in means', () => {
    expect(pooled({ kind: 'avgPool2d', poolSize: 2, padding: 'same' })).toEqual([
      13 / 4,
      11 / 4,
      8,
      4
    ])
  })

  it.each([1, 4, 5])(
    'gives the slope to the first of several largest, with %d channels',
    (units) => {
      // Every place has the same number, 0 · feature: the slope of that 0 is the feature that was chosen.
      const engine = engineOf(
        [2, 2, 1],
        [
          { kind: 'dense', name: 'same', units, useBias: false },
          { kind: 'maxPool2d', poolSize: 2 },
          { kind: 'flatten' }
        ]
      )
      const weights = Array.from({ length: units }, () => [1, -1]).flat()
      const slopes = gradientOf(
        engine,
        [...new Array<number>(units).fill(0), ...weights],
        [3, 10, 20, 40]
      )

      for (const slope of slopes.slice(0, units)) expect(slope).toBeCloseTo(-3, 5)
    }
  )

  it('means over all places with globalAveragePool2d', () => {
    const engine = engineOf([2, 1, 3], [{ kind: 'globalAveragePool2d', name: 'mean' }])
    expect(given(engine, 'mean', [1, 2, 3, 5, 10, 20])).toEqual([3, 6, 11.5])
  })

  it.each<[number[], LayerSpec, RegExp]>([
    [[4], { kind: 'maxPool2d', poolSize: 2 }, /layer 0 'maxPool2d_1' needs images .* at \[4\]/],
    [
      [3, 9, 1],
      { kind: 'avgPool2d', poolSize: 4 },
      /window of 4 x 4, larger than its input of 3 x 9/
    ],
    [[3, 9], { kind: 'globalAveragePool2d' }, /needs images .* at \[3, 9\]/]
  ])('says why %o does not fit %o', (shape, layer, why) => {
    expect(() => engineOf(shape, [layer])).toThrow(why)
  })
})
