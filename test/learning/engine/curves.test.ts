import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { Random } from '../../../src/core/random.ts'
import { loadDataset } from '../../../src/learning/data/spec.ts'
import { createEngine, type BackendName } from '../../../src/learning/engine/select.ts'
import { initialise } from '../../../src/learning/layout.ts'
import type { ModelSpec } from '../../../src/learning/model/spec.ts'
import { evaluate, train } from '../../../src/learning/train.ts'

const dataDirectory =
  process.env.STARLING_DATA ?? resolve(import.meta.dirname, '../../../../shared/data')

/** Accuracy after an epoch over the first so many images. The whole set: scripts/compare-curves.ts. */
async function accuracyOn(backend: BackendName, model: ModelSpec, count: number): Promise<number> {
  const dataset = loadDataset(`fashion-mnist?limit=${count}&test=1000`, { dataDirectory })
  const engine = await createEngine({ model, data: dataset, backend })
  const parameters = initialise(engine.layout, new Random('start'))
  const training = {
    optimizer: { kind: 'sgd', learningRate: 0.1, momentum: 0 },
    batchSize: 16,
    localSteps: 1
  } as const
  const start = { parameters, optimizer: new Float32Array(), steps: 0 }
  const steps = count / training.batchSize
  const after = train(engine, dataset.train, training, start, steps, new Random('batches'))
  const { accuracy } = evaluate(engine, after.parameters, dataset.test)
  engine.dispose()
  return accuracy
}

it.each<[string, ModelSpec, number]>([
  ['mlp', { preset: 'mlp', hidden: [64] }, 3_200],
  ['cnn', { preset: 'cnn', filters: [3, 6], hidden: 32 }, 640]
])('%s learns as well as with TensorFlow.js in plain JavaScript', async (_, model, count) => {
  const own = await accuracyOn('plan', model, count)
  const stock = await accuracyOn('cpu', model, count)

  expect(own).toBeGreaterThan(0.4)
  expect(Math.abs(own - stock)).toBeLessThanOrEqual(0.003)
})
