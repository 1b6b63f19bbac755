import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Random } from '../../../src/core/random.ts'
import type { Engine } from '../../../src/learning/engine/engine.ts'
import { createEngine, type BackendName } from '../../../src/learning/engine/select.ts'
import { losses } from '../../../src/learning/loss.ts'
import { evaluate, train } from '../../../src/learning/train.ts'
import { data, models, normalised, samples, someParameters } from './models.ts'

/** What every engine keeps, whatever computes. */
export function describeEngine(backend: BackendName): void {
  describe.each(Object.entries(models))(`the ${backend} engine with %s`, (_name, model) => {
    let engine: Engine
    beforeAll(async () => {
      engine = await createEngine({ model, data, backend })
    })
    afterAll(() => engine.dispose())

    it('says what computes', () => {
      expect(engine.backend).toBe(backend)
    })

    it('gives one score for each sample and class', () => {
      const scores = engine.logits(someParameters(engine.layout), samples(5))

      expect(scores).toHaveLength(5 * data.classes)
      expect(new Set(scores).size).toBeGreaterThan(5)
    })

    it('scores a sample the same in any company', () => {
      const parameters = someParameters(engine.layout)
      const two = samples(2)
      const first = {
        features: two.features.slice(0, 48),
        labels: two.labels.slice(0, 1),
        count: 1
      }

      const alone = engine.logits(parameters, first)
      const together = engine.logits(parameters, two)

      for (let k = 0; k < data.classes; k++) expect(alone[k]).toBeCloseTo(Number(together[k]), 5)
    })

    it('gives the slope that finite differences show', () => {
      const parameters = someParameters(engine.layout)
      const batch = samples(4)
      const gradient = new Float32Array(parameters.length)
      engine.gradient(parameters.slice(), batch, gradient, 7)

      const lossAt = (index: number, shift: number): number => {
        const moved = parameters.slice()
        moved[index] = Number(moved[index]) + shift
        return engine.gradient(moved, batch, new Float32Array(moved.length), 7)
      }
      const random = new Random('directions')
      const step = 2e-3
      for (const { offset, size, role, name } of engine.layout.tensors) {
        if (role === 'statistic') continue
        const index = offset + random.integer(size)
        const slope = (lossAt(index, step) - lossAt(index, -step)) / (2 * step)
        expect(Math.abs(Number(gradient[index]) - slope), name).toBeLessThan(3e-3)
      }
    })

    it('returns the mean cross-entropy of what it scores, in models without chance', () => {
      if (model === normalised) return
      const parameters = someParameters(engine.layout)
      const batch = samples(4)

      const loss = engine.gradient(parameters, batch, new Float32Array(parameters.length), 1)

      expect(loss).toBeCloseTo(
        losses['softmax-cross-entropy'](engine.logits(parameters, batch), batch.labels),
        5
      )
    })

    it('gives the same bits for the same input, whatever came between', () => {
      const parameters = someParameters(engine.layout)
      const [first, second] = [0, 1].map(() => {
        const gradient = new Float32Array(parameters.length).fill(NaN)
        const loss = engine.gradient(parameters.slice(), samples(4), gradient, 3)
        engine.gradient(
          parameters.slice(),
          samples(9, 'others'),
          new Float32Array(gradient.length),
          4
        )
        return { loss, gradient }
      })

      expect(second).toEqual(first)
    })

    it('writes to nothing but the gradient and the statistics', () => {
      const parameters = someParameters(engine.layout)
      const before = parameters.slice()
      const batch = samples(4)

      engine.gradient(parameters, batch, new Float32Array(parameters.length), 1)
      engine.logits(parameters, batch)

      expect(batch).toEqual(samples(4))
      for (const { offset, size, role } of engine.layout.tensors) {
        const [was, is] = [before, parameters].map((all) => all.slice(offset, offset + size))
        if (role === 'statistic') expect(is).not.toEqual(was)
        else expect(is).toEqual(was)
      }
    })

    it('keeps no tensor after a call', () => {
      const parameters = someParameters(engine.layout)
      const gradient = new Float32Array(parameters.length)
      const before = tf.memory().numTensors

      for (let call = 0; call < 3; call++) {
        engine.gradient(parameters, samples(4), gradient, call)
        engine.logits(parameters, samples(4))
      }

      expect(tf.memory().numTensors).toBe(before)
    })

    it('refuses parameters and samples of another size', () => {
      const parameters = someParameters(engine.layout)

      expect(() => engine.logits(parameters.slice(1), samples(1))).toThrow(/parameters, not/)
      expect(() => engine.logits(parameters, { ...samples(2), count: 3 })).toThrow(
        /3 samples of 48/
      )
    })
  })

  describe(`the ${backend} engine`, () => {
    it('draws dropout from the seed', async () => {
      const engine = await createEngine({ model: normalised, data, backend })
      const lossWith = (seed: number): number => {
        const parameters = someParameters(engine.layout)
        return engine.gradient(parameters, samples(4), new Float32Array(parameters.length), seed)
      }

      expect(lossWith(0)).toBe(lossWith(0))
      expect(new Set([0, 1, 2, 2 ** 32 - 1].map(lossWith)).size).toBe(4)
      engine.dispose()
    })

    it('moves running statistics towards those of the batch, and gives them no gradient', async () => {
      const engine = await createEngine({ model: normalised, data, backend })
      const parameters = someParameters(engine.layout)
      const mean = engine.layout.tensors.find(({ name }) => name === 'norm/moving_mean')
      const place = mean?.offset ?? NaN
      const gradient = new Float32Array(parameters.length)
      const values = [parameters[place]]
      for (let step = 0; step < 3; step++) {
        engine.gradient(parameters, samples(4), gradient, 1)
        values.push(parameters[place])
      }

      const [start, first, second, third] = values.map(Number) as [number, number, number, number]
      expect(second - first).toBeCloseTo((first - start) / 2, 5) // its momentum is 0.5
      expect(third - second).toBeCloseTo((second - first) / 2, 5)
      expect(gradient[place]).toBe(0)
      engine.dispose()
    })

    it('gives its memory back', async () => {
      const before = tf.memory().numTensors
      const engine = await createEngine({ model: models.cnn ?? normalised, data, backend })
      engine.dispose()

      expect(tf.memory().numTensors).toBe(before)
    })

    it.each(['mlp', 'cnn'])(
      'learns with %s where the bright half of an image tells',
      async (name) => {
        const engine = await createEngine({ model: models[name] ?? normalised, data, backend })
        const bright = samples(48)
        const labels = bright.labels.map((_, row) => row % 3)
        const lit = bright.features.map((value, index) => {
          const third = Math.floor((index % 48) / 16)
          return third === labels[Math.floor(index / 48)] ? value + 1 : value
        })
        const known = { features: lit, labels, count: 48 }
        const state = {
          parameters: someParameters(engine.layout),
          optimizer: new Float32Array(),
          steps: 0
        }
        const training = {
          optimizer: { kind: 'adam', learningRate: 0.02, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
          batchSize: 16,
          localSteps: 1
        } as const

        const after = train(engine, known, training, state, 60, new Random('learning'))

        expect(evaluate(engine, state.parameters, known).accuracy).toBeLessThan(0.7)
        expect(evaluate(engine, after.parameters, known).accuracy).toBeGreaterThan(0.95)
        engine.dispose()
      }
    )
  })
}
