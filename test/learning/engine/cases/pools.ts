import type { DataSchema } from '../../../../src/learning/data/dataset.ts'
import type { LayerSpec } from '../../../../src/learning/layers/layers.ts'

const output: LayerSpec = { kind: 'dense', name: 'output', units: 3 }
/** Five channels: no multiple of four. Unequal sides, so that swapped axes show. */
const image: DataSchema = { shape: [7, 5, 2], classes: 3 }
const vector: DataSchema = { shape: [6], classes: 3 }

/** An image of so many channels that depend on parameters. */
function channels(units: number): LayerSpec {
  return { kind: 'dense', name: 'channels', units, activation: 'tanh' }
}

function onImage(units: number, ...layers: LayerSpec[]): { layers: LayerSpec[]; data: DataSchema } {
  return { layers: [channels(units), ...layers, { kind: 'flatten' }, output], data: image }
}

/** Lists of layers that every engine computes alike. */
export const poolCases: Record<string, { layers: LayerSpec[]; data: DataSchema }> = {
  'max pooling': onImage(5, { kind: 'maxPool2d', poolSize: 2 }),
  'max pooling that covers the image': onImage(8, { kind: 'maxPool2d', poolSize: [7, 5] }),
  'max pooling, overlapping, same': onImage(6, {
    ...{ kind: 'maxPool2d', poolSize: [3, 2], strides: [2, 1], padding: 'same' }
  }),
  'max pooling with gaps': onImage(4, { kind: 'maxPool2d', poolSize: [1, 2], strides: 3 }),
  'average pooling': onImage(5, { kind: 'avgPool2d', poolSize: [2, 1] }),
  'average pooling, overlapping, same': onImage(7, {
    ...{ kind: 'avgPool2d', poolSize: 3, strides: 2, padding: 'same' }
  }),
  'average pooling in tiles, same': onImage(4, {
    ...{ kind: 'avgPool2d', poolSize: 3, padding: 'same' }
  }),
  'global average pooling': {
    layers: [channels(5), { kind: 'globalAveragePool2d' }, output],
    data: image
  },
  'batch normalisation of images': onImage(5, { kind: 'batchNorm', momentum: 0.6 }),
  'batch normalisation with relu': onImage(9, { kind: 'batchNorm', activation: 'relu' }),
  'batch normalisation of features': {
    layers: [{ kind: 'batchNorm', epsilon: 1e-5 }, channels(6), { kind: 'batchNorm' }, output],
    data: vector
  },
  'layer normalisation': {
    layers: [{ kind: 'layerNorm' }, channels(7), { kind: 'layerNorm', epsilon: 1e-5 }, output],
    data: vector
  },
  'layer normalisation of places': onImage(4, { kind: 'layerNorm' }),
  'group normalisation': onImage(6, { kind: 'groupNorm', groups: 2 }),
  'group normalisation with relu': onImage(5, {
    ...{ kind: 'groupNorm', groups: 5, activation: 'relu' }
  }),
  'group normalisation of features': {
    layers: [channels(6), { kind: 'groupNorm', groups: 3, epsilon: 0.01 }, output],
    data: vector
  },
  'sums of layers': {
    layers: [
      { ...channels(5), name: 'a' },
      { kind: 'dense', name: 'b', units: 5 },
      { kind: 'dense', name: 'c', from: 'a', units: 5 },
      { kind: 'add', name: 'sum', from: ['a', 'b', 'c', 'a'] },
      { kind: 'add', name: 'rest', from: ['sum', 'b'], activation: 'relu' },
      output
    ],
    data: vector
  },
  'layers side by side': {
    layers: [
      { ...channels(5), name: 'a' },
      { kind: 'dense', name: 'b', from: 'input', units: 2 },
      { kind: 'concat', from: ['a', 'input', 'b', 'a'] },
      { kind: 'flatten' },
      output
    ],
    data: image
  },
  dropout: {
    layers: [
      channels(9),
      { kind: 'dropout', rate: 0.3 },
      { kind: 'dense', units: 7 },
      { kind: 'dropout', rate: 0.6 },
      output
    ],
    data: vector
  }
}
