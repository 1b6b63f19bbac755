import type { LayersModel, layers } from '@tensorflow/tfjs'
import { StarlingError } from '../../core/errors.ts'
import type { DataSchema } from '../data/dataset.ts'
import type { ModelSpec } from './spec.ts'
import type { TensorFlow } from './tensorflow.ts'

export type PresetSpec = Extract<ModelSpec, { preset: string }>
type Layer = layers.Layer

/**
 * Models by name. Every layer has a name of its own, and every kernel starts He-uniform:
 * He et al., "Delving Deep into Rectifiers", ICCV 2015.
 */
export function presetModel(tf: TensorFlow, spec: PresetSpec, data: DataSchema): LayersModel {
  const layers = [
    ...hiddenLayers(tf, spec, data),
    tf.layers.dense({ name: 'output', units: data.classes, kernelInitializer: 'heUniform' })
  ]
  return tf.sequential({
    layers: [tf.layers.inputLayer({ name: 'input', inputShape: [...data.shape] }), ...layers]
  })
}

function hiddenLayers(tf: TensorFlow, spec: PresetSpec, data: DataSchema): Layer[] {
  switch (spec.preset) {
    case 'logreg':
      return flattening(tf, data)
    case 'mlp':
      return [
        ...flattening(tf, data),
        ...spec.hidden.map((units, index) => denseRelu(tf, `dense_${index + 1}`, units))
      ]
    case 'cnn':
      requireImage(spec.filters.length, data)
      return [
        ...spec.filters.flatMap((filters, index) => [
          tf.layers.conv2d({
            name: `conv_${index + 1}`,
            filters,
            kernelSize: 3,
            padding: 'same',
            activation: 'relu',
            kernelInitializer: 'heUniform'
          }),
          tf.layers.maxPooling2d({ name: `pool_${index + 1}`, poolSize: 2 })
        ]),
        tf.layers.flatten({ name: 'flatten' }),
        denseRelu(tf, 'dense', spec.hidden)
      ]
    default:
      throw new StarlingError(
        'STARLING_BAD_MODEL',
        `the preset '${spec.preset}' is a list of layers, and not built of tfjs layers`
      )
  }
}

function requireImage(poolings: number, { shape }: DataSchema): void {
  const [height = 0, width = 0] = shape
  const sideMin = 2 ** poolings
  if (shape.length === 3 && Math.min(height, width) >= sideMin) return
  throw new StarlingError(
    'STARLING_BAD_MODEL',
    `a 'cnn' with ${poolings} convolutions needs images [height, width, channels] of at least ` +
      `${sideMin} x ${sideMin}, and the data is [${shape.join(', ')}]: use fewer filters, or 'mlp'`
  )
}

function flattening(tf: TensorFlow, data: DataSchema): Layer[] {
  return data.shape.length > 1 ? [tf.layers.flatten({ name: 'flatten' })] : []
}

function denseRelu(tf: TensorFlow, name: string, units: number): Layer {
  return tf.layers.dense({ name, units, activation: 'relu', kernelInitializer: 'heUniform' })
}
