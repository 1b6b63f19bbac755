import type { DataSchema } from '../../../../src/learning/data/dataset.ts'
import { activationNames } from '../../../../src/learning/layers/activation.ts'
import type { LayerSpec } from '../../../../src/learning/layers/layers.ts'
import { lossKinds } from '../../../../src/learning/training.ts'
import type { LayerCase } from '../layer-cases.ts'

const vector: DataSchema = { shape: [7], classes: 3 }
const sequence: DataSchema = { shape: [5, 6], classes: 4, positions: 5 }
const functions = ['relu', 'gelu', 'tanh', 'sigmoid', 'softmax'] as const

function dense(units: number, more: object = {}): LayerSpec {
  return { kind: 'dense', units, ...more }
}

function table<Key extends string>(
  keys: readonly Key[],
  entry: (key: Key) => [name: string, layerCase: LayerCase]
): Record<string, LayerCase> {
  return Object.fromEntries(keys.map(entry))
}

export const denseCases: Record<string, LayerCase> = {
  ...table(activationNames, (activation) => [
    `a dense layer that ends in ${activation}`,
    { layers: [dense(6, { activation }), dense(9, { activation }), dense(3)], data: vector }
  ]),
  ...table(functions, (name) => [
    `the function ${name}`,
    {
      layers: [dense(5), { kind: 'activation', function: name }, dense(3)],
      data: vector,
      count: 3
    }
  ]),
  ...table(lossKinds, (loss) => [
    `the loss ${loss}`,
    { layers: [dense(5, { activation: 'tanh' }), dense(3)], data: vector, loss }
  ]),
  ...table(lossKinds, (loss) => [
    `the loss ${loss}, a label at each position`,
    { layers: [dense(7, { activation: 'gelu' }), dense(4)], data: sequence, loss, count: 2 }
  ]),
  'one sample': { layers: [dense(6, { activation: 'relu' }), dense(3)], data: vector, count: 1 },
  'sides of one': {
    layers: [dense(1, { activation: 'tanh' }), dense(2)],
    data: { shape: [1], classes: 2 },
    count: 1
  },
  'two classes, without a hidden layer': { layers: [dense(2)], data: { shape: [3], classes: 2 } },
  'layers without offsets': {
    layers: [dense(6, { useBias: false, activation: 'sigmoid' }), dense(3, { useBias: false })],
    data: vector
  },
  'weights drawn in other ways': {
    layers: [
      dense(6, { initialiser: 'glorot', activation: 'tanh' }),
      dense(6, { initialiser: { normal: 0.3 }, activation: 'tanh' }),
      dense(3, { initialiser: 'zeros' })
    ],
    data: vector
  },
  'more than a block of every side': {
    layers: [dense(130, { activation: 'relu' }), dense(101)],
    data: { shape: [350], classes: 101 },
    count: 37
  },
  'a side before the last': {
    layers: [dense(5, { activation: 'gelu' }), { kind: 'flatten' }, dense(3)],
    data: { shape: [3, 2], classes: 3 }
  },
  'features in other units': {
    layers: [dense(6, { activation: 'relu' }), dense(3)],
    data: { ...vector, scale: { mean: 0.2, deviation: 0.5 } }
  },
  'a deep model': {
    layers: [1, 2, 3, 4, 5, 6]
      .map((depth) => dense(4 + depth, { activation: depth % 2 === 0 ? 'tanh' : 'gelu' }))
      .concat(dense(3)),
    data: vector
  },
  'a layer that two look at, one of them in vain': {
    layers: [
      dense(6, { name: 'shared', activation: 'tanh' }),
      dense(4, { name: 'unused' }),
      dense(3, { from: 'shared' })
    ],
    data: vector
  }
}
