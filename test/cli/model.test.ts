import { describe, expect, it } from 'vitest'
import { modelFrom } from '../../src/cli/model.ts'
import { optimizerFor, optimizerKinds } from '../../src/cli/optimizers.ts'
import { presetNames, presetSchema } from '../../src/learning/model/spec.ts'
import { optimizerSchema } from '../../src/learning/training.ts'

const images = { shape: [28, 28, 1], classes: 10 }
const text = { shape: [64], classes: 97, positions: 64 }

describe('the model that a command line means', () => {
  it('is a small network, and for text a small GPT, unless it says so', () => {
    expect(modelFrom({}, images)).toEqual({ preset: 'mlp', hidden: [64] })
    expect(modelFrom({}, text)).toMatchObject({ preset: 'chargpt', layers: 4 })
    expect(modelFrom({ model: 'logreg' }, text)).toEqual({ preset: 'logreg' })
  })

  it('has the hidden layers that were asked for, as its preset wants them', () => {
    expect(modelFrom({ hidden: [8, 4] }, images)).toMatchObject({ hidden: [8, 4] })
    expect(modelFrom({ model: 'cnn', hidden: [8] }, images)).toMatchObject({ hidden: 8 })
    expect(modelFrom({ model: 'tabular', hidden: [8] }, images)).toMatchObject({ hidden: [8] })
    expect(() => modelFrom({ model: 'cnn', hidden: [8, 4] }, images)).toThrow(/'cnn'.*hidden/)
    expect(() => modelFrom({ model: 'resnet8', hidden: [8] }, images)).toThrow(/no key 'hidden'/)
  })

  it('has the sizes of a command, where the user says nothing', () => {
    const sizes = { mlp: { hidden: [5] } }
    expect(modelFrom({}, images, sizes)).toMatchObject({ hidden: [5] })
    expect(modelFrom({ hidden: [6] }, images, sizes)).toMatchObject({ hidden: [6] })
  })
})

describe('the optimizer of a model', () => {
  const gpt = presetSchema.parse({ preset: 'chargpt' })

  it('is one for every preset', () => {
    for (const preset of presetNames) {
      expect(optimizerFor(presetSchema.parse({ preset })).learningRate).toBeGreaterThan(0)
    }
    expect(optimizerFor({ layers: [] })).toMatchObject({ kind: 'sgd', momentum: 0.9 })
    expect(optimizerFor(gpt)).toMatchObject({ kind: 'adamw', clipNorm: 1 })
  })

  it('keeps what is usual for the model, unless another kind is asked for', () => {
    expect(optimizerFor(gpt, { learningRate: 0.5 })).toMatchObject({
      clipNorm: 1,
      learningRate: 0.5
    })
    expect(optimizerFor(gpt, { optimizer: 'adamw' })).toMatchObject({ clipNorm: 1 })
    expect(optimizerFor(gpt, { optimizer: 'sgd' })).toEqual({
      ...{ kind: 'sgd', learningRate: 0.05, momentum: 0.9 }
    })
  })

  it('may be of every kind there is', () => {
    expect(optimizerKinds).toEqual(optimizerSchema.options.map(({ shape }) => shape.kind.value))
  })
})
