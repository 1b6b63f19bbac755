import type { DataSchema } from '../../../../src/learning/data/dataset.ts'
import type { LayerSpec } from '../../../../src/learning/layers/layers.ts'

const output: LayerSpec = { kind: 'dense', name: 'output', units: 3 }
/** Unequal sides, so that swapped axes show. */
const data: DataSchema = { shape: [7, 5, 3], classes: 3 }

function onImage(...layers: LayerSpec[]): { layers: LayerSpec[]; data: DataSchema } {
  return { layers: [...layers, { kind: 'flatten' }, output], data }
}

/** Lists of layers that every engine computes alike; the second layer's input has a slope. */
export const convCases: Record<string, { layers: LayerSpec[]; data: DataSchema }> = {
  convolutions: onImage(
    { kind: 'conv2d', filters: 8, kernelSize: 3, padding: 'same', activation: 'relu' },
    { kind: 'conv2d', filters: 5, kernelSize: [2, 3] }
  ),
  'convolutions with strides': onImage(
    { kind: 'conv2d', filters: 6, kernelSize: 1, activation: 'tanh' },
    { kind: 'conv2d', filters: 9, kernelSize: [3, 4], strides: [2, 3], padding: 'same' }
  ),
  'convolutions with gaps between windows': onImage(
    { kind: 'conv2d', filters: 4, kernelSize: 1, initialiser: 'glorot' },
    { kind: 'conv2d', filters: 8, kernelSize: 1, strides: 2, useBias: false }
  ),
  'convolutions of a window larger than the image': onImage(
    { kind: 'conv2d', filters: 4, kernelSize: 1 },
    { kind: 'conv2d', filters: 3, kernelSize: 9, padding: 'same', activation: 'gelu' }
  ),
  'convolutions of many channels': {
    layers: [
      { kind: 'conv2d', filters: 20, kernelSize: 1 },
      { kind: 'conv2d', filters: 28, kernelSize: 3, padding: 'same', activation: 'relu' },
      { kind: 'flatten' },
      output
    ],
    data: { shape: [2, 4, 2], classes: 3 }
  },
  'depthwise convolutions': onImage(
    { kind: 'depthwiseConv2d', kernelSize: 3, multiplier: 3, padding: 'same', activation: 'gelu' },
    { kind: 'depthwiseConv2d', kernelSize: [3, 2], strides: 2, activation: 'relu' },
    { kind: 'conv2d', filters: 4, kernelSize: 1 }
  )
}
