import type { DataSchema } from '../../src/learning/data/dataset.ts'
import type { ModelSpec } from '../../src/learning/model/spec.ts'
import type { OptimizerSpec } from '../../src/learning/training.ts'

/** What the engine is measured on; torch-models.py has the same models under the same names. */
export interface EngineCase {
  readonly model: ModelSpec
  readonly data: DataSchema
  readonly batchSize: number
  readonly optimizer: OptimizerSpec
  /** In one round: enough for a tenth of a second of ours. */
  readonly steps: number
  /** Which other engines can be measured on it. tfjs' own wasm cannot train convolutions. */
  readonly against: readonly ('stockWasm' | 'tfjsCpu')[]
}

const grey = { shape: [28, 28, 1], classes: 10 }
const colour = { shape: [32, 32, 3], classes: 10 }
const context = 128

const sgd: OptimizerSpec = { kind: 'sgd', learningRate: 0.01, momentum: 0 }
const heavy: OptimizerSpec = { kind: 'sgd', learningRate: 0.01, momentum: 0.9 }
const adam: OptimizerSpec = {
  ...{ kind: 'adam', learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
}

const wide: ModelSpec = { preset: 'mlp', hidden: [512, 256] }

export const engineCases: Readonly<Record<string, EngineCase>> = {
  mlp: {
    ...{ model: wide, data: grey, batchSize: 64, optimizer: sgd, steps: 20 },
    against: ['stockWasm']
  },
  'mlp-adam': {
    ...{ model: wide, data: grey, batchSize: 64, optimizer: adam, steps: 20 },
    against: ['stockWasm']
  },
  'mlp-small': {
    ...{ model: { preset: 'mlp', hidden: [64] }, data: grey, batchSize: 32, optimizer: sgd },
    ...{ steps: 400, against: ['stockWasm'] }
  },
  cnn: {
    ...{ model: { preset: 'cnn', filters: [16, 32], hidden: 64 }, data: grey, batchSize: 32 },
    ...{ optimizer: sgd, steps: 15, against: ['tfjsCpu'] }
  },
  resnet20: {
    ...{ model: { preset: 'resnet20' }, data: colour, batchSize: 32, optimizer: heavy },
    ...{ steps: 1, against: [] }
  },
  chargpt: {
    model: { preset: 'chargpt', layers: 4, width: 128, heads: 4, dropout: 0 },
    data: { shape: [context], classes: 97, positions: context },
    ...{ batchSize: 16, optimizer: adam, steps: 1, against: [] }
  }
}
