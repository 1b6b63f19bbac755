import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Random } from '../../../src/core/random.ts'
import { loadDataset } from '../../../src/learning/data/spec.ts'
import { createEngine } from '../../../src/learning/engine/select.ts'
import { initialise } from '../../../src/learning/layout.ts'
import { describeModel } from '../../../src/learning/model/build.ts'
import { modelSchema } from '../../../src/learning/model/spec.ts'
import { evaluate, train } from '../../../src/learning/train.ts'
import { samples } from '../engine/models.ts'

const dataDirectory =
  process.env.STARLING_DATA ?? resolve(import.meta.dirname, '../../../../shared/data')

const adam = {
  kind: 'adam',
  learningRate: 0.003,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8
} as const

describe('tabular', () => {
  const model = modelSchema.parse({ preset: 'tabular' })

  it.each([
    ['wine.csv', 0.9],
    ['banknote_authentication.csv', 0.97]
  ])('learns %s to an accuracy of %d on rows that it has not seen', async (file, least) => {
    const path = join(dataDirectory, 'tabular-small', file)
    const data = loadDataset(`csv:${path}?label=last&holdout=0.3&seed=1`)
    const engine = await createEngine({ model, data, backend: 'plan' })
    const start = {
      parameters: initialise(engine.layout, new Random('start')),
      optimizer: new Float32Array(),
      steps: 0
    }
    const training = { optimizer: adam, batchSize: 32, localSteps: 1 }

    const after = train(engine, data.train, training, start, 150, new Random('steps'))

    expect(evaluate(engine, start.parameters, data.test).accuracy).toBeLessThan(0.8)
    expect(evaluate(engine, after.parameters, data.test).accuracy).toBeGreaterThan(least)
  })

  it('has a block of dense, norm, relu and dropout for each width, whatever the features', async () => {
    const spec = modelSchema.parse({ preset: 'tabular', hidden: [6, 4], dropout: 0 })
    const tensors = await describeModel(spec, { shape: [3, 2], classes: 5 })

    expect(tensors.map(({ name, shape }) => `${name} ${shape.join(' x ')}`)).toEqual([
      'block_1_dense/kernel 6 x 6',
      'block_1_dense/bias 6',
      'block_1_norm/gamma 6',
      'block_1_norm/beta 6',
      'block_2_dense/kernel 6 x 4',
      'block_2_dense/bias 4',
      'block_2_norm/gamma 4',
      'block_2_norm/beta 4',
      'output/kernel 4 x 5',
      'output/bias 5'
    ])
  })
})

describe('residual networks', () => {
  const colour = { shape: [32, 32, 3], classes: 10 }

  it.each([
    ['resnet8', 78_042],
    ['resnet20', 272_474]
  ] as const)('%s has %d parameters that are trained', async (preset, count) => {
    const tensors = await describeModel({ preset }, colour)
    const sizes = tensors
      .filter(({ role }) => role !== 'statistic')
      .map(({ shape }) => shape.reduce((product, side) => product * side, 1))

    expect(sizes.reduce((sum, size) => sum + size)).toBe(count)
  })

  it('names layers by stage and block', async () => {
    const names = (await describeModel({ preset: 'resnet8' }, colour)).map(({ name }) => name)

    expect(names).toContain('stem/kernel')
    expect(names).toContain('stage_1_block_1_2_norm/moving_mean')
    expect(names).toContain('stage_3_block_1_shortcut/kernel')
    expect(names).not.toContain('stage_1_block_1_shortcut/kernel')
  })

  it('learn images with sides of 4 and more, even or odd, by heart', async () => {
    const data = { shape: [5, 4, 1], classes: 3 }
    const engine = await createEngine({ model: { preset: 'resnet8' }, data, backend: 'plan' })
    const known = samples(24, 'images', data)
    const start = {
      parameters: initialise(engine.layout, new Random('start')),
      optimizer: new Float32Array(),
      steps: 0
    }
    const training = { optimizer: adam, batchSize: 12, localSteps: 1 }

    const after = train(engine, known, training, start, 60, new Random('steps'))

    expect(evaluate(engine, start.parameters, known).loss).toBeGreaterThan(0.8)
    expect(after.loss).toBeLessThan(0.5)
  })

  it.each([[[3, 9, 1]], [[64]]])('refuse data of shape %o', async (shape) => {
    await expect(describeModel({ preset: 'resnet20' }, { shape, classes: 2 })).rejects.toThrow(
      `at least 4 x 4, and the data is [${shape.join(', ')}]: use 'mlp' or 'tabular'`
    )
  })
})
