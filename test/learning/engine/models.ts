import type { Samples } from '../../../src/learning/data/dataset.ts'
import type { DataSchema } from '../../../src/learning/data/dataset.ts'
import { initialise, type Layout } from '../../../src/learning/layout.ts'
import type { ModelSpec } from '../../../src/learning/model/spec.ts'
import { Random } from '../../../src/core/random.ts'

/** A small image with more than one channel and unequal sides, so that swapped axes show. */
export const data: DataSchema = { shape: [6, 4, 2], classes: 3 }

/** Layers in the form in which tfjs and Keras export them. */
export function sequential(...layers: [className: string, config: object][]): ModelSpec {
  const [[firstName, firstConfig], ...rest] = layers as [(typeof layers)[0], ...typeof layers]
  const input = { ...firstConfig, batch_input_shape: [null, ...data.shape] }
  const exported = [[firstName, input] as const, ...rest]
  return {
    topology: {
      class_name: 'Sequential',
      config: {
        name: 'model',
        layers: exported.map(([class_name, config]) => ({ class_name, config: { ...config } }))
      }
    }
  }
}

export const glorot = { class_name: 'GlorotUniform', config: {} }

export const output: [string, object] = [
  'Dense',
  { name: 'output', units: data.classes, kernel_initializer: glorot }
]

export const normalised = sequential(
  ['Conv2D', { name: 'conv', filters: 3, kernel_size: [3, 3], kernel_initializer: glorot }],
  ['BatchNormalization', { name: 'norm', momentum: 0.5 }],
  ['Activation', { name: 'act', activation: 'relu' }],
  ['Flatten', {}],
  ['Dropout', { name: 'drop', rate: 0.5 }],
  output
)

/** The same, of our own layers. */
export const normalisedLayers: ModelSpec = {
  layers: [
    { kind: 'conv2d', name: 'conv', filters: 3, kernelSize: 3, initialiser: 'glorot' },
    { kind: 'batchNorm', name: 'norm', momentum: 0.5, activation: 'relu' },
    { kind: 'flatten' },
    { kind: 'dropout', name: 'drop', rate: 0.5 },
    { kind: 'dense', name: 'output', units: data.classes, initialiser: 'glorot' }
  ]
}

export const models: Record<string, ModelSpec> = {
  logreg: { preset: 'logreg' },
  mlp: { preset: 'mlp', hidden: [7, 5] },
  cnn: { preset: 'cnn', filters: [3, 4], hidden: 5 },
  'a list of layers': {
    layers: [
      { kind: 'dense', units: 5, activation: 'gelu' },
      { kind: 'flatten' },
      { kind: 'activation', function: 'tanh' },
      { kind: 'dense', name: 'output', units: 3 }
    ]
  },
  'a list with batchNorm and dropout': normalisedLayers,
  'custom with batchNormalization and dropout': normalised
}

export function samples(count: number, seed = 'samples', schema = data): Samples {
  const random = new Random(seed)
  const size = schema.shape.reduce((product, side) => product * side, 1)
  return {
    features: Float32Array.from({ length: count * size }, () => random.next()),
    labels: Uint16Array.from({ length: count * (schema.positions ?? 1) }, () =>
      random.integer(schema.classes)
    ),
    count
  }
}

/** First parameters with nothing left at its special starting value, so that no term hides. */
export function someParameters(layout: Layout): Float32Array {
  const random = new Random('shift')
  return initialise(layout, new Random('parameters')).map((value) => value + 0.1 * random.next())
}

/** Largest difference, relative to the largest number. */
export function relativeDifference(left: ArrayLike<number>, right: ArrayLike<number>): number {
  if (left.length !== right.length) return Infinity
  let difference = 0
  let largest = 1e-12
  for (let i = 0; i < left.length; i++) {
    difference = Math.max(difference, Math.abs(Number(left[i]) - Number(right[i])))
    largest = Math.max(largest, Math.abs(Number(right[i])))
  }
  return difference / largest
}
