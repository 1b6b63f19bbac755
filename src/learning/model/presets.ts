import { StarlingError } from '../../core/errors.ts'
import type { DataSchema } from '../data/dataset.ts'
import type { LayerSpec } from '../layers/layers.ts'
import { charGptLayers } from './chargpt.ts'
import { residualLayers } from './resnet.ts'
import type { PresetSpec } from './spec.ts'

/**
 * Models by name, as lists of layers. Every layer has a name of its own.
 * @throws STARLING_BAD_MODEL when the model is not for such data
 */
export function presetLayers(spec: PresetSpec, data: DataSchema): LayerSpec[] {
  const output: LayerSpec = { kind: 'dense', name: 'output', units: data.classes }
  switch (spec.preset) {
    case 'logreg':
      return [...flattening(data), output]
    case 'mlp':
      return [
        ...flattening(data),
        ...spec.hidden.map((units, index): LayerSpec => ({
          ...{ kind: 'dense', name: `dense_${index + 1}`, units, activation: 'relu' }
        })),
        output
      ]
    case 'cnn':
      requireImage(spec.filters.length, data)
      return [
        ...spec.filters.flatMap(convolution),
        { kind: 'flatten', name: 'flatten' },
        { kind: 'dense', name: 'dense', units: spec.hidden, activation: 'relu' },
        output
      ]
    case 'resnet8':
      return residualLayers(1, data)
    case 'resnet20':
      return residualLayers(3, data)
    case 'tabular':
      return [...flattening(data), ...tabularBlocks(spec), output]
    case 'chargpt':
      return charGptLayers(spec, data)
  }
}

function convolution(filters: number, index: number): LayerSpec[] {
  return [
    {
      ...{ kind: 'conv2d', name: `conv_${index + 1}`, filters, kernelSize: 3 },
      ...{ padding: 'same', activation: 'relu' }
    },
    { kind: 'maxPool2d', name: `pool_${index + 1}`, poolSize: 2 }
  ]
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

function flattening({ shape }: DataSchema): LayerSpec[] {
  return shape.length > 1 ? [{ kind: 'flatten', name: 'flatten' }] : []
}

/**
 * The multilayer perceptron that Gorishniy et al., "Revisiting Deep Learning Models for Tabular Data",
 * NeurIPS 2021, compare with: blocks of dense, relu, dropout. With layer normalisation in each, which
 * needs no statistics of a batch: those of peers with unlike data do not fit together (Hsieh et al.,
 * "The Non-IID Data Quagmire of Decentralized Machine Learning", ICML 2020).
 */
function tabularBlocks({
  hidden,
  dropout
}: Extract<PresetSpec, { preset: 'tabular' }>): LayerSpec[] {
  return hidden.flatMap((units, index): LayerSpec[] => {
    const block = `block_${index + 1}`
    return [
      { kind: 'dense', name: `${block}_dense`, units },
      { kind: 'layerNorm', name: `${block}_norm` },
      { kind: 'activation', name: `${block}_relu`, function: 'relu' },
      { kind: 'dropout', name: `${block}_dropout`, rate: dropout }
    ]
  })
}
