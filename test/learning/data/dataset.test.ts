import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  positionsOf,
  selectLabels,
  selectSamples,
  type Samples
} from '../../../src/learning/data/dataset.ts'

/** Samples whose numbers say where they are from: sample 12 begins with the feature 1200. */
function numbered(count: number, size: number, positions: number): Samples {
  const place = (width: number) => (_: unknown, index: number) =>
    Math.floor(index / width) * 100 + (index % width)
  return {
    features: Float32Array.from({ length: count * size }, place(size)),
    labels: Uint16Array.from({ length: count * positions }, place(positions)),
    count
  }
}

describe('selected samples', () => {
  it('bring all of their features and labels along, in the order that was asked for', () => {
    expect(selectSamples(numbered(4, 2, 3), [3, 1, 3])).toEqual({
      features: Float32Array.of(300, 301, 100, 101, 300, 301),
      labels: Uint16Array.of(300, 301, 302, 100, 101, 102, 300, 301, 302),
      count: 3
    })
  })

  it('are a selection in any two steps, and copies', () => {
    const anyCase = fc
      .record({
        count: fc.integer({ min: 1, max: 9 }),
        size: fc.integer({ min: 1, max: 5 }),
        positions: fc.integer({ min: 1, max: 5 })
      })
      .chain(({ count, ...rest }) => {
        const rows = fc.array(fc.nat(count - 1), { minLength: 1, maxLength: 12 })
        return fc.record({
          samples: fc.constant(numbered(count, rest.size, rest.positions)),
          first: rows,
          second: fc.array(fc.nat(), { maxLength: 12 })
        })
      })
    fc.assert(
      fc.property(anyCase, ({ samples, first, second }) => {
        const places = second.map((place) => place % first.length)
        const once = selectSamples(
          samples,
          places.map((place) => first[place] as number)
        )
        const twice = selectSamples(selectSamples(samples, first), places)
        expect(twice).toEqual(once)
        expect(selectLabels(samples, first).labels).toEqual(selectSamples(samples, first).labels)
        expect(twice.features.buffer).not.toBe(samples.features.buffer)
      })
    )
  })

  it('may be none, of none', () => {
    const none = { features: new Float32Array(), labels: new Uint16Array(), count: 0 }
    expect(selectSamples(none, [])).toEqual(none)
    expect(selectSamples(numbered(2, 3, 4), [])).toEqual(none)
  })
})

it('a sample has as many positions as labels', () => {
  expect(positionsOf(numbered(3, 4, 1))).toBe(1)
  expect(positionsOf(numbered(3, 4, 5))).toBe(5)
  expect(positionsOf({ labels: new Uint16Array(), count: 0 })).toBe(1)
})
