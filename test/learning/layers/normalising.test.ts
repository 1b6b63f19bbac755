import { describe, expect, it } from 'vitest'
import { Random } from '../../../src/core/random.ts'
import { engineOf, given, gradientOf, parametersOf } from './room.ts'

const random = new Random('normalising')
const numbers = (count: number): number[] => Array.from({ length: count }, () => random.normal())
/** Mean 100 and deviation 2: a variance that a careless sum of squares would lose. */
const far = (count: number): number[] => numbers(count).map((value) => 100 + 2 * value)

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

function varianceOf(values: readonly number[]): number {
  const mean = meanOf(values)
  return meanOf(values.map((value) => (value - mean) ** 2))
}

describe('batchNorm', () => {
  const layer = { kind: 'batchNorm', name: 'norm' } as const

  it('uses its moving statistics, scale and offset when the model is used', () => {
    const engine = engineOf([2], [{ ...layer, epsilon: 1 }])
    const [gamma, beta, mean, variance] = [
      [2, 3],
      [10, 20],
      [5, 7],
      [3, 8]
    ]
    const parameters = parametersOf(engine, [gamma, beta, mean, variance].flat())

    expect(given(engine, 'norm', [6, 4, 5, 7], 2, parameters)).toEqual([11, 17, 10, 20])
  })

  it('moves its statistics towards mean and variance (Σ (x − mean)² / rows) of the batch', () => {
    const engine = engineOf([3, 1], [{ ...layer, momentum: 0.75 }, { kind: 'flatten' }])
    const parameters = parametersOf(engine)
    const batch = far(4 * 3)

    gradientOf(engine, parameters, batch, 4)

    expect(parameters[2]).toBeCloseTo(0.25 * meanOf(batch), 5)
    expect(parameters[3]).toBeCloseTo(0.75 + 0.25 * varianceOf(batch), 5)
  })

  it('makes mean 0 and variance 1 of what it learned from', () => {
    const engine = engineOf([5], [{ ...layer, momentum: 0, epsilon: 1e-6 }])
    const parameters = parametersOf(engine)
    const batch = far(5 * 64)

    gradientOf(engine, parameters, batch, 64)
    const normal = given(engine, 'norm', batch, 64, parameters)

    for (let channel = 0; channel < 5; channel++) {
      const values = normal.filter((_, index) => index % 5 === channel)
      expect(meanOf(values)).toBeCloseTo(0, 4)
      expect(varianceOf(values)).toBeCloseTo(1, 4)
    }
  })

  it('ends in relu where that is asked for', () => {
    const engine = engineOf([2], [{ ...layer, epsilon: 1e-12, activation: 'relu' }])
    expect(given(engine, 'norm', [-3, 4])).toEqual([0, 4])
  })
})

describe('layerNorm', () => {
  it('makes mean 0 and variance 1 of every row, whatever the others are', () => {
    const engine = engineOf(
      [3, 6],
      [{ kind: 'layerNorm', name: 'norm', epsilon: 1e-6 }, { kind: 'flatten' }]
    )
    const rows = [...far(6), ...numbers(6), ...far(6)]
    const normal = given(engine, 'norm', rows)

    for (const row of [0, 1, 2]) {
      const values = normal.slice(6 * row, 6 * row + 6)
      expect(meanOf(values)).toBeCloseTo(0, 4)
      expect(varianceOf(values)).toBeCloseTo(1, 4)
    }
  })
})

describe('groupNorm', () => {
  it('makes mean 0 and variance 1 of each group of channels of each sample', () => {
    const engine = engineOf(
      [2, 3, 6],
      [{ kind: 'groupNorm', name: 'norm', groups: 2, epsilon: 1e-6 }, { kind: 'flatten' }]
    )
    const samples = [...far(36), ...numbers(36)]
    const normal = given(engine, 'norm', samples, 2)

    for (const sample of [0, 1]) {
      for (const group of [0, 1]) {
        const values = normal.filter(
          (_, index) => Math.floor(index / 36) === sample && Math.floor((index % 6) / 3) === group
        )
        expect(values).toHaveLength(18)
        expect(meanOf(values)).toBeCloseTo(0, 4)
        expect(varianceOf(values)).toBeCloseTo(1, 4)
      }
    }
  })

  it('needs groups that divide the channels', () => {
    expect(() => engineOf([6], [{ kind: 'groupNorm', groups: 4 }])).toThrow(
      /'groupNorm_1' splits 6 channels into 4 groups: use a number of groups that divides them/
    )
  })
})
