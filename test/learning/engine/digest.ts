import { sha256Hex } from '../../../src/core/digest.ts'
import { Random } from '../../../src/core/random.ts'
import { createEngine } from '../../../src/learning/engine/select.ts'
import type { LayerSpec } from '../../../src/learning/layers/layers.ts'
import { initialise } from '../../../src/learning/layout.ts'
import { train } from '../../../src/learning/train.ts'
import type { OptimizerSpec } from '../../../src/learning/training.ts'

const data = { shape: [8, 8, 1], classes: 5, scale: { mean: 0.4, deviation: 0.3 } }

/** Most kinds of kernels in one net. */
const layers: LayerSpec[] = [
  { kind: 'flatten' },
  { kind: 'dense', units: 37, activation: 'gelu' },
  { kind: 'dense', units: 18, activation: 'tanh' },
  { kind: 'dense', units: 5 }
]

const optimizer: OptimizerSpec = {
  ...{ kind: 'adamw', learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  weightDecay: 0.01,
  clipNorm: 1,
  schedule: { kind: 'cosine', steps: 200, floor: 0.1, warmupSteps: 10 }
}

/** Digest of the parameters after 200 steps. */
export async function trainedDigest(): Promise<string> {
  const engine = await createEngine({ model: { layers }, data, backend: 'plan' })
  const random = new Random('digest')
  const samples = {
    features: Float32Array.from({ length: 100 * 64 }, () => random.next()),
    labels: Uint16Array.from({ length: 100 }, () => random.integer(5)),
    count: 100
  }
  const start = {
    parameters: initialise(engine.layout, new Random('start')),
    optimizer: new Float32Array(),
    steps: 0
  }
  const training = { optimizer, batchSize: 16, localSteps: 200 }
  const { parameters } = train(engine, samples, training, start, 200, new Random('batches'))
  return sha256Hex(new Uint8Array(parameters.buffer))
}
