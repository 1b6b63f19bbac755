import { resolve } from 'node:path'
import { Random } from '../src/core/random.ts'
import { loadDataset } from '../src/learning/data/spec.ts'
import { createEngine, type BackendName } from '../src/learning/engine/select.ts'
import { initialise } from '../src/learning/layout.ts'
import type { ModelSpec } from '../src/learning/model/spec.ts'
import { evaluate, train } from '../src/learning/train.ts'
import type { TrainState } from '../src/learning/training.ts'

/**
 * `node scripts/compare-curves.ts [SAMPLES] [BACKEND...]`: one epoch over Fashion-MNIST on several
 * engines, from the same seeds: accuracy and loss at five points of it. TensorFlow.js in plain
 * JavaScript takes some ten seconds for a thousand images with convolutions.
 *
 * Curves part where a rounding flips a relu or the choice of a pool: that grows from step to step, and
 * faster the larger the steps are. What must agree is the gradient at equal parameters, and where the
 * curves come to in the end.
 */
const [samples = '60000', ...backends] = process.argv.slice(2)
const names = (backends.length > 0 ? backends : ['plan', 'cpu']) as BackendName[]
const directory = process.env.STARLING_DATA ?? resolve(import.meta.dirname, '../../shared/data')
const dataset = loadDataset(`fashion-mnist?limit=${samples}&test=1000`, {
  dataDirectory: directory
})
const models: Record<string, ModelSpec> = {
  mlp: { preset: 'mlp', hidden: [64] },
  cnn: { preset: 'cnn', filters: [8, 16], hidden: 32 }
}
const training = {
  optimizer: { kind: 'sgd', learningRate: 0.01, momentum: 0.9 },
  batchSize: 64,
  localSteps: 1
} as const
const stepsAtPoint = Math.ceil(dataset.train.count / training.batchSize / 5)

for (const [name, model] of Object.entries(models)) {
  for (const backend of names) {
    const engine = await createEngine({ model, data: dataset, backend })
    const random = new Random('curves')
    const parameters = initialise(engine.layout, random.fork('start'))
    let state: TrainState = { parameters, optimizer: new Float32Array(), steps: 0 }
    for (let point = 1; point <= 5; point++) {
      state = train(engine, dataset.train, training, state, stepsAtPoint, random.fork('batches'))
      const { accuracy, loss } = evaluate(engine, state.parameters, dataset.test)
      console.log(
        [name, backend, `${state.steps} steps`, accuracy.toFixed(4), loss.toFixed(4)].join('\t')
      )
    }
    engine.dispose()
  }
}
