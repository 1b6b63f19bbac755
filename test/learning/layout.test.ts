import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parametersMax } from '../../src/core/limits.ts'
import { Random } from '../../src/core/random.ts'
import {
  createLayout,
  initialise,
  isFinite,
  staysFinite,
  type TensorSpec
} from '../../src/learning/layout.ts'

function tensor(name: string, shape: number[], initialiser: TensorSpec['initialiser']): TensorSpec {
  return { name, shape, role: 'weight', initialiser }
}

const kernel = tensor('dense/kernel', [784, 64], { kind: 'uniform', limit: 0.1 })
const bias = tensor('dense/bias', [64], { kind: 'constant', value: 0.5 })

describe('a layout', () => {
  it('puts tensors one after another, without gaps', () => {
    const layout = createLayout([kernel, bias])
    expect(layout.tensors.map(({ offset, size }) => [offset, size])).toEqual([
      [0, 50_176],
      [50_176, 64]
    ])
    expect(layout.parameterCount).toBe(50_240)
  })

  it('has a digest of names, shapes, roles and order, not of initial values', () => {
    const digest = createLayout([kernel, bias]).digest
    expect(createLayout([bias, kernel]).digest).not.toBe(digest)
    expect(createLayout([{ ...kernel, shape: [64, 784] }, bias]).digest).not.toBe(digest)
    expect(createLayout([{ ...kernel, role: 'bias' }, bias]).digest).not.toBe(digest)
    expect(createLayout([{ ...kernel, name: 'k' }, bias]).digest).not.toBe(digest)
    const other: TensorSpec = { ...kernel, initialiser: { kind: 'constant', value: 0 } }
    expect(createLayout([other, bias]).digest).toBe(digest)
  })

  it('refuses an empty model, a name twice, and more parameters than anybody would accept', () => {
    expect(() => createLayout([])).toThrow(/1 to/)
    expect(() => createLayout([bias, bias])).toThrow(/'dense\/bias'/)
    const huge = tensor('huge', [parametersMax, 2], { kind: 'constant', value: 0 })
    expect(() => createLayout([huge])).toThrow(/'huge'/)
    const overflowing = tensor('more', [2 ** 40, 2 ** 40, 2 ** 40], { kind: 'constant', value: 0 })
    expect(() => createLayout([overflowing])).toThrow(/'more'/)
  })
})

describe('the first parameters', () => {
  it('are the same for the same seed, whatever else the model has before them', () => {
    const alone = initialise(createLayout([kernel]), new Random(3))
    const second = initialise(createLayout([bias, kernel]), new Random(3))
    expect(second.subarray(64)).toEqual(alone)
    expect(initialise(createLayout([kernel]), new Random(4))).not.toEqual(alone)
  })

  it('are equal within parts of one length, where the initialiser says so', () => {
    const parts = tensor('lstm/bias', [6], { kind: 'parts', values: [0, 1, 0.5] })
    expect([...initialise(createLayout([parts]), new Random(1))]).toEqual([0, 0, 1, 1, 0.5, 0.5])
  })

  it('have the spread that the initialiser says', () => {
    const normal = tensor('n', [20_000], { kind: 'normal', deviation: 2 })
    const layout = createLayout([kernel, bias, normal])
    const parameters = initialise(layout, new Random(1))
    const variance = (part: Float32Array): number =>
      part.reduce((sum, value) => sum + value * value, 0) / part.length

    expect(variance(parameters.subarray(0, 50_176)) / (0.1 ** 2 / 3)).toBeCloseTo(1, 1)
    expect(new Set(parameters.subarray(50_176, 50_240))).toEqual(new Set([0.5]))
    expect(variance(parameters.subarray(50_240)) / 4).toBeCloseTo(1, 1)
  })
})

describe('isFinite', () => {
  it('finds a NaN or an infinity wherever it is, and nothing else', () => {
    const bad = fc.constantFrom(NaN, Infinity, -Infinity)
    fc.assert(
      fc.property(
        fc.float32Array({ noNaN: true, noDefaultInfinity: true, minLength: 1 }),
        bad,
        fc.nat(),
        (values, value, at) => {
          expect(isFinite(values)).toBe(true)
          values[at % values.length] = value
          expect(isFinite(values)).toBe(false)
        }
      )
    )
    expect(isFinite(Float32Array.of(3.4e38, 3.4e38, -3.4e38))).toBe(true)
  })
})

describe('staysFinite', () => {
  it('looks once at an array that is finite', () => {
    const parameters = Float32Array.of(1, 2)
    expect(staysFinite(parameters)).toBe(true)
    parameters[1] = NaN // which nobody does to an array that is shared
    expect(staysFinite(parameters)).toBe(true)
  })

  it('does not take a NaN for seen', () => {
    const parameters = Float32Array.of(1, NaN)
    expect(staysFinite(parameters)).toBe(false)
    expect(staysFinite(parameters)).toBe(false)
  })
})
