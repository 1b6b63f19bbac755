import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Random } from '../../src/core/random.ts'
import type { Samples } from '../../src/learning/data/dataset.ts'
import type { Engine } from '../../src/learning/engine/engine.ts'
import { createEngine } from '../../src/learning/engine/select.ts'
import { evaluate, train } from '../../src/learning/train.ts'
import type { OptimizerSpec, TrainingSpec, TrainState } from '../../src/learning/training.ts'
import { data, normalised, samples, someParameters } from './engine/models.ts'

const sgd: OptimizerSpec = { kind: 'sgd', learningRate: 0.1, momentum: 0 }
const heavy: OptimizerSpec = { kind: 'sgd', learningRate: 0.1, momentum: 0.9 }
const adam: OptimizerSpec = {
  kind: 'adam',
  learningRate: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8
}

function training(optimizer: OptimizerSpec, batchSize = 4): TrainingSpec {
  return { optimizer, batchSize, localSteps: 1 }
}

const dice = (): Random => new Random('train')

describe('train', () => {
  let engine: Engine
  let start: TrainState
  beforeAll(async () => {
    // With running statistics and dropout, so that everything that could be forgotten is there.
    engine = await createEngine({ model: normalised, data, backend: 'wasm' })
    start = { parameters: someParameters(engine.layout), optimizer: new Float32Array(), steps: 0 }
  })
  afterAll(() => engine.dispose())

  it.each([
    ['sgd', sgd],
    ['momentum', heavy],
    ['adam', adam]
  ])('in two calls gives the bits of training in one, with %s', (_name, optimizer) => {
    const shard = samples(10)
    const whole = train(engine, shard, training(optimizer), start, 9, dice())

    const part = train(engine, shard, training(optimizer), start, 4, dice())
    const rest = train(engine, shard, training(optimizer), part, 5, dice())

    expect(rest.parameters).toEqual(whole.parameters)
    expect(rest.optimizer).toEqual(whole.optimizer)
    expect(rest.steps).toBe(9)
    expect((4 * part.loss + 5 * rest.loss) / 9).toBeCloseTo(whole.loss, 10)
  })

  it('is a function of its arguments: no write to the state, no memory of its own', () => {
    const before = structuredClone(start)
    const [first, second] = [0, 1].map(() =>
      train(engine, samples(10), training(adam), start, 3, dice())
    )

    expect(second).toEqual(first)
    expect(start).toEqual(before)
  })

  it('depends on the dice', () => {
    const [first, second] = ['one', 'other'].map((seed) =>
      train(engine, samples(10), training(sgd), start, 1, new Random(seed))
    )
    expect(second?.parameters).not.toEqual(first?.parameters)
  })

  it('counts the samples that it saw', () => {
    expect(train(engine, samples(10), training(sgd, 4), start, 3, dice()).samples).toBe(12)
  })

  it('takes the whole shard when it is smaller than a batch', () => {
    expect(train(engine, samples(3), training(sgd, 64), start, 2, dice()).samples).toBe(6)
  })

  it('moves running statistics, which no optimizer touches', () => {
    const after = train(engine, samples(10), training(adam), start, 1, dice())
    const alone = start.parameters.slice()
    const { optimizer } = after
    const place = engine.layout.tensors.find(({ role }) => role === 'statistic')?.offset ?? NaN

    expect(after.parameters[place]).not.toBe(alone[place])
    expect(optimizer[place]).toBe(0)
    expect(optimizer[engine.layout.parameterCount + place]).toBe(0)
  })

  it('gives back the state of the call when a loss is not finite, and moves past the batch', () => {
    const shard = samples(8)
    const poisoned: Samples = { ...shard, features: shard.features.slice().fill(NaN, 0, 48) }
    const bad = [0, 1].find((step) => {
      const state = { ...start, steps: step }
      return train(engine, poisoned, training(sgd), state, 1, dice()).rolledBack
    })
    expect(bad).toBeDefined()

    const from = { ...start, steps: 2 } // the second epoch: one batch of it is bad
    const result = train(engine, poisoned, training(heavy), from, 2, dice())

    expect(result.rolledBack).toBe(true)
    expect(result.parameters).toEqual(start.parameters)
    expect(result.optimizer).toEqual(start.optimizer)
    expect(result.steps).toBeGreaterThan(2)
    expect(result.loss).not.toBeNaN()
  })

  it('gives back the state of the call when the last step leaves the finite numbers', () => {
    const wild = training({ kind: 'sgd', learningRate: 1e45, momentum: 0 })

    const result = train(engine, samples(8), wild, start, 1, dice())

    expect(result).toMatchObject({ rolledBack: true, steps: 1, samples: 4 })
    expect(result.parameters).toEqual(start.parameters)
    expect(result.loss).toBeGreaterThan(0)
  })

  it('refuses an empty shard', () => {
    expect(() => train(engine, samples(0), training(sgd), start, 1, dice())).toThrow('no samples')
  })
})

describe('evaluate', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await createEngine({
      model: { preset: 'logreg' },
      data: { shape: [2], classes: 3 },
      backend: 'wasm'
    })
  })
  afterAll(() => engine.dispose())

  // Kernel [2, 3] row by row, then the bias: class 0 likes the first feature, class 2 the second.
  const parameters = Float32Array.of(1, 0, 0, 0, 0, 1, 0, 0, 0)

  it('counts hits of the highest score, and of equal scores the lowest class', () => {
    const four = {
      features: Float32Array.of(2, 0, 0, 2, 0, 0, 0, 0),
      labels: Uint16Array.of(0, 2, 0, 1), // right, right, a tie that 0 wins, a tie that 1 loses
      count: 4
    }
    const confident = Math.log(Math.exp(2) + 2) - 2

    const { loss, accuracy } = evaluate(engine, parameters, four)

    expect(accuracy).toBe(3 / 4)
    expect(loss).toBeCloseTo((2 * confident + 2 * Math.log(3)) / 4, 6)
  })

  it('weighs all samples the same, however many are judged at a time', () => {
    const count = 512 + 3
    const features = new Float32Array(2 * count).fill(0)
    const labels = new Uint16Array(count).fill(1, 512)

    const { loss, accuracy } = evaluate(engine, parameters, { features, labels, count })

    expect(accuracy).toBe(512 / count)
    expect(loss).toBeCloseTo(Math.log(3), 6)
  })

  it('refuses an empty set', () => {
    expect(() => evaluate(engine, parameters, samples(0))).toThrow('no samples')
  })
})
