import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Random } from '../../src/core/random.ts'

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function draws(count: number, draw: () => number): number[] {
  return Array.from({ length: count }, draw)
}

describe('a seeded stream', () => {
  it('is the same for the same path, and another for another', () => {
    const first = draws(5, () => 0).map(() => new Random(1).fork('a').next())
    expect(new Set(first).size).toBe(1)
    expect(new Random(1).fork('b').next()).not.toBe(first[0])
    expect(new Random(2).fork('a').next()).not.toBe(first[0])
  })

  it('draws nothing from its parent when it is forked', () => {
    const plain = new Random(1)
    const forked = new Random(1)
    forked.fork('other').next()
    expect(forked.next()).toBe(plain.next())
  })

  it('is fixed for ever: a change here changes every simulation', () => {
    const random = new Random(1).fork('network')
    expect([random.integer(1000), random.integer(1000), random.next()]).toMatchInlineSnapshot(`
      [
        484,
        36,
        0.663783502546094,
      ]
    `)
  })

  it('shuffles into a permutation', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.integer(), (items, seed) => {
        const shuffled = new Random(seed).shuffle(items)
        expect([...shuffled].sort((a, b) => a - b)).toEqual([...items].sort((a, b) => a - b))
      })
    )
  })

  it('shuffles without favour', () => {
    const random = new Random('favour')
    const firsts = draws(6_000, () => random.shuffle([0, 1, 2])[0] ?? NaN)
    for (const item of [0, 1, 2]) {
      expect(firsts.filter((first) => first === item).length).toBeGreaterThan(1_850) // of 2,000 ± 5 σ
    }
  })

  it.each([0.3, 1, 4])('has the mean and variance of Gamma(%d)', (shape) => {
    const random = new Random(`gamma ${shape}`)
    const values = draws(20_000, () => random.gamma(shape))
    expect(mean(values)).toBeCloseTo(shape, 1)
    expect(mean(values.map((value) => (value - shape) ** 2)) / shape).toBeCloseTo(1, 0)
  })

  it('has the moments of the standard normal and of the exponential', () => {
    const random = new Random('moments')
    const normals = draws(20_000, () => random.normal())
    expect(mean(normals)).toBeCloseTo(0, 1)
    expect(mean(normals.map((value) => value ** 2))).toBeCloseTo(1, 1)
    expect(mean(normals.map((value) => value ** 4))).toBeGreaterThan(2.7)
    expect(mean(draws(20_000, () => random.exponential()))).toBeCloseTo(1, 1)
  })
})
