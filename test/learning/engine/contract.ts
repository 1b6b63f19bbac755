import * as tf from '@tensorflow/tfjs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Random } from '../../../src/core/random.ts'
import { selectSamples } from '../../../src/learning/data/dataset.ts'
import type { BatchPlan, Engine } from '../../../src/learning/engine/engine.ts'
import { createEngine, type BackendName } from '../../../src/learning/engine/select.ts'
import { losses } from '../../../src/learning/loss.ts'
import { optimize, optimizerMemory } from '../../../src/learning/optimizer.ts'
import { evaluate, train } from '../../../src/learning/train.ts'
import { lossKinds, type TrainState } from '../../../src/learning/training.ts'
import {
  data,
  models,
  normalised,
  normalisedLayers,
  relativeDifference,
  samples,
  someParameters
} from './models.ts'

/** Its epsilon keeps slopes that are nothing but rounding from making steps. */
const adam = {
  kind: 'adam',
  learningRate: 0.02,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-3
} as const
const sgd = { kind: 'sgd', learningRate: 0.1, momentum: 0.5 } as const

/** Different samples at every step, and sometimes fewer. */
const plan: BatchPlan = {
  samples: samples(12),
  rowsAt: (step) => Array.from({ length: step === 3 ? 2 : 4 }, (_, i) => (5 * step + i) % 12),
  seedAt: (step) => 100 + step
}

/** What every engine keeps, whatever computes. */
export function describeEngine(backend: BackendName): void {
  // Our own engine knows no topologies, and tfjs keeps count of its tensors.
  const isOwn = backend === 'plan'
  const known = Object.entries(models).filter(([, model]) => !isOwn || !('topology' in model))
  const chancy = isOwn ? [normalisedLayers] : [normalisedLayers, normalised]

  describe.each(known)(`the ${backend} engine with %s`, (_name, model) => {
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
      if (chancy.includes(model)) return
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

    if (!isOwn)
      it('keeps no tensor after a call', () => {
        const parameters = someParameters(engine.layout)
        const gradient = new Float32Array(parameters.length)
        const before = tf.memory().numTensors

        for (let call = 0; call < 3; call++) {
          engine.gradient(parameters, samples(4), gradient, call)
          engine.logits(parameters, samples(4))
          engine.activations(parameters, samples(4), ['output'])
        }

        expect(tf.memory().numTensors).toBe(before)
      })

    // Adam divides small numbers by small ones, which float32 and float64 round differently.
    it.each([
      [sgd, 1e-6],
      [adam, 1e-5]
    ])('trains as its gradients and %j say', (optimizer, limit) => {
      const start = startOf(engine)
      const parameters = start.parameters.slice()
      const memory = optimizerMemory(optimizer, parameters.length, start.optimizer)
      const gradient = new Float32Array(parameters.length)
      const losses: number[] = []
      for (let step = 0; step < 5; step++) {
        const batch = selectSamples(plan.samples, plan.rowsAt(step))
        losses.push(engine.gradient(parameters, batch, gradient, plan.seedAt(step)))
        optimize(optimizer, engine.layout, parameters, gradient, memory, step + 1)
      }

      const taken = engine.train(start, optimizer, plan, 5)

      expect(relativeDifference(taken.parameters, parameters)).toBeLessThan(limit)
      expect(relativeDifference(taken.losses, losses)).toBeLessThan(limit)
      expect(taken.samples).toBe(4 * 4 + 2)
      expect(start).toEqual(startOf(engine))
    })

    it('trains in two calls as in one, to the bit', () => {
      const whole = engine.train(startOf(engine), adam, plan, 5)

      const first = engine.train(startOf(engine), adam, plan, 2)
      const second = engine.train({ ...first, steps: 2 }, adam, plan, 3)

      expect(second.parameters).toEqual(whole.parameters)
      expect(second.optimizer).toEqual(whole.optimizer)
      expect([...first.losses, ...second.losses]).toEqual(whole.losses)
    })

    it('judges by its scores, over more samples than are looked at together', () => {
      const parameters = someParameters(engine.layout)
      const many = samples(517)
      const scores = engine.logits(parameters, many)
      const hits = many.labels.filter((label, row) => {
        const own = [...scores.subarray(row * data.classes, (row + 1) * data.classes)]
        return own.indexOf(Math.max(...own)) === label
      })

      const { loss, accuracy } = engine.evaluate(parameters, many)

      expect(loss).toBeCloseTo(losses['softmax-cross-entropy'](scores, many.labels), 5)
      expect(accuracy).toBe(hits.length / 517)
    })

    it('shows what its layers give, which for the last are the scores', () => {
      const parameters = someParameters(engine.layout)
      const many = samples(517)
      const [first = ''] = engine.layout.tensors.map(({ name }) => name.replace(/\/.*/, ''))

      const shown = engine.activations(parameters, many, ['output', first])

      expect(shown.get('output')).toEqual({
        shape: [data.classes],
        values: engine.logits(parameters, many)
      })
      const { shape, values } = shown.get(first) ?? { shape: [], values: [] }
      expect(values).toHaveLength(517 * shape.reduce((product, side) => product * side, 1))
      expect(engine.activations(parameters, many, [])).toEqual(new Map())
    })

    it('names the layers that it has instead of one that it has not', () => {
      const look = () => engine.activations(someParameters(engine.layout), samples(1), ['attic'])

      expect(look).toThrow(/has no layer 'attic', only .*output/)
      expect(look).toThrow(expect.objectContaining({ code: 'STARLING_BAD_MODEL' }) as Error)
    })

    it('refuses a label that is no class, and a batch of nothing', () => {
      const parameters = someParameters(engine.layout)
      const gradient = new Float32Array(parameters.length)
      const wrong = { ...samples(2), labels: Uint16Array.of(0, 3) }

      expect(() => engine.gradient(parameters, wrong, gradient, 1)).toThrow(
        'sample 1 has the label 3, but there are 3 classes, counted from 0'
      )
      expect(() => engine.evaluate(parameters, wrong)).toThrow('has the label 3')
      expect(() => engine.gradient(parameters, samples(0), gradient, 1)).toThrow(
        'a batch has at least one sample, this one none'
      )
    })

    if (isOwn)
      it('refuses a feature that is no finite number', () => {
        const parameters = someParameters(engine.layout)
        const broken = samples(2)
        broken.features[50] = Infinity

        expect(() => engine.logits(parameters, broken)).toThrow(
          'sample 1 has Infinity as feature 2 (both counted from 0), which is not a finite number'
        )
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
    it.each(lossKinds)('makes %s small', async (loss) => {
      const engine = await createEngine({ model: models.mlp ?? normalised, data, backend, loss })
      const { parameters } = startOf(engine)
      const batch = samples(6)
      const scores = engine.logits(parameters, batch)

      const before = engine.evaluate(parameters, batch).loss
      const plan = { samples: batch, rowsAt: () => [0, 1, 2, 3, 4, 5], seedAt: () => 1 }
      const taken = engine.train(startOf(engine), adam, plan, 20)

      expect(before).toBeCloseTo(losses[loss](scores, batch.labels), 5)
      expect(taken.losses[0]).toBeCloseTo(before, 5)
      expect(engine.evaluate(taken.parameters, batch).loss).toBeLessThan(0.9 * before)
      engine.dispose()
    })

    it.each(chancy)('draws dropout from the seed (%j)', async (model) => {
      const engine = await createEngine({ model, data, backend })
      const lossWith = (seed: number): number => {
        const parameters = someParameters(engine.layout)
        return engine.gradient(parameters, samples(4), new Float32Array(parameters.length), seed)
      }

      expect(lossWith(0)).toBe(lossWith(0))
      expect(new Set([0, 1, 2, 2 ** 32 - 1].map(lossWith)).size).toBe(4)
      engine.dispose()
    })

    it.each(chancy)(
      'moves running statistics towards those of the batch, and gives them no gradient (%j)',
      async (model) => {
        const engine = await createEngine({ model, data, backend })
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
      }
    )

    if (!isOwn)
      it('gives its memory back', async () => {
        const before = tf.memory().numTensors
        const engine = await createEngine({ model: models.cnn ?? normalised, data, backend })
        engine.dispose()

        expect(tf.memory().numTensors).toBe(before)
      })

    it.each(['mlp', 'cnn'].filter((name) => known.some(([known]) => known === name)))(
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
        const state = startOf(engine)
        const training = {
          optimizer: adam,
          batchSize: 16,
          localSteps: 1
        }

        const after = train(engine, known, training, state, 60, new Random('learning'))

        expect(evaluate(engine, state.parameters, known).accuracy).toBeLessThan(0.7)
        expect(evaluate(engine, after.parameters, known).accuracy).toBeGreaterThan(0.95)
        engine.dispose()
      }
    )
  })
}

function startOf({ layout }: Engine): TrainState {
  return { parameters: someParameters(layout), optimizer: new Float32Array(), steps: 0 }
}
