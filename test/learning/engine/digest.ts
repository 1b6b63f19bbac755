import { sha256Hex } from '../../../src/core/digest.ts'
import { Random } from '../../../src/core/random.ts'
import { sampleSize, type DataSchema } from '../../../src/learning/data/dataset.ts'
import { createEngine } from '../../../src/learning/engine/select.ts'
import type { LayerSpec } from '../../../src/learning/layers/layers.ts'
import { initialise } from '../../../src/learning/layout.ts'
import { train } from '../../../src/learning/train.ts'
import type { OptimizerSpec } from '../../../src/learning/training.ts'

/** Most kinds of kernels in two nets. */
const nets: readonly { readonly data: DataSchema; readonly layers: LayerSpec[] }[] = [
  {
    data: { shape: [8, 8, 1], classes: 5, scale: { mean: 0.4, deviation: 0.3 } },
    layers: [
      { kind: 'conv2d', name: 'first', filters: 12, kernelSize: 3, padding: 'same' },
      { kind: 'batchNorm', activation: 'relu' },
      { kind: 'conv2d', filters: 36, kernelSize: 3, padding: 'same' },
      { kind: 'conv2d', filters: 12, kernelSize: 3, padding: 'same' },
      { kind: 'groupNorm', groups: 3 },
      { kind: 'depthwiseConv2d', kernelSize: 3, padding: 'same' },
      { kind: 'add', from: ['first', 'depthwiseConv2d_1'], activation: 'relu' },
      { kind: 'maxPool2d', poolSize: 3, strides: 2 },
      { kind: 'avgPool2d', poolSize: 2, strides: 1 },
      { kind: 'flatten' },
      { kind: 'dropout', rate: 0.2 },
      { kind: 'dense', units: 37, activation: 'gelu' },
      { kind: 'layerNorm' },
      { kind: 'dense', units: 18, activation: 'tanh' },
      { kind: 'dense', units: 5 }
    ]
  },
  {
    data: { shape: [7], classes: 5, positions: 7 },
    layers: [
      { kind: 'embedding', vocabulary: 5, width: 12 },
      { kind: 'positionalEmbedding' },
      { kind: 'gptBlock', heads: 3 },
      { kind: 'lstm', units: 6, sequences: true },
      { kind: 'dense', units: 5 }
    ]
  }
]

const optimizer: OptimizerSpec = {
  ...{ kind: 'adamw', learningRate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 },
  weightDecay: 0.01,
  clipNorm: 1,
  schedule: { kind: 'cosine', steps: 200, floor: 0.1, warmupSteps: 10 }
}

/** Digest of the parameters of both after 200 steps. */
export async function trainedDigest(): Promise<string> {
  const digests: string[] = []
  for (const { layers, data } of nets) {
    const engine = await createEngine({ model: { layers }, data, backend: 'plan' })
    const random = new Random('digest')
    const { positions = 1, classes } = data
    const samples = {
      features: Float32Array.from({ length: 50 * sampleSize(data) }, () =>
        positions === 1 ? random.next() : random.integer(classes)
      ),
      labels: Uint16Array.from({ length: 50 * positions }, () => random.integer(classes)),
      count: 50
    }
    const start = {
      parameters: initialise(engine.layout, new Random('start')),
      optimizer: new Float32Array(),
      steps: 0
    }
    const training = { optimizer, batchSize: 10, localSteps: 200 }
    const { parameters, rolledBack } = train(
      engine,
      samples,
      training,
      start,
      200,
      new Random('batches')
    )
    if (rolledBack) throw new Error('the net came apart')
    digests.push(sha256Hex(new Uint8Array(parameters.buffer)))
  }
  return digests.join(' ')
}
