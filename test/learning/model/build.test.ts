import * as tf from '@tensorflow/tfjs'
import { describe, expect, it } from 'vitest'
import { describeModel } from '../../../src/learning/model/build.ts'
import type { ModelSpec } from '../../../src/learning/model/spec.ts'

const images = { shape: [8, 8, 1], classes: 3 }

type ExportedLayer = [className: string, config: Record<string, unknown>]

const flatten: ExportedLayer = ['Flatten', { name: 'flat', batch_input_shape: [null, 8, 8, 1] }]
const output: ExportedLayer = ['Dense', { name: 'out', units: 3 }]

function topologyOf(...layers: ExportedLayer[]): { class_name: string; config: object } {
  return {
    class_name: 'Sequential',
    config: { name: 's', layers: layers.map(([class_name, config]) => ({ class_name, config })) }
  }
}

function custom(...layers: ExportedLayer[]): ModelSpec {
  return { topology: topologyOf(...layers) } as ModelSpec
}

function dense(config: object): ModelSpec {
  return custom(flatten, ['Dense', { name: 'out', units: 3, ...config }])
}

async function shapesOf(spec: ModelSpec, data = images): Promise<string[]> {
  const tensors = await describeModel(spec, data)
  return tensors.map(({ name, shape, role }) => `${name} [${shape.join(' ')}] ${role}`)
}

describe('a preset', () => {
  it('logreg is one dense layer', async () => {
    expect(await shapesOf({ preset: 'logreg' })).toEqual([
      'output/kernel [64 3] weight',
      'output/bias [3] bias'
    ])
  })

  it('mlp is hidden dense layers and one more, also on flat data', async () => {
    const flat = { shape: [5], classes: 3 }
    expect(await shapesOf({ preset: 'mlp', hidden: [7, 4] }, flat)).toEqual([
      'dense_1/kernel [5 7] weight',
      'dense_1/bias [7] bias',
      'dense_2/kernel [7 4] weight',
      'dense_2/bias [4] bias',
      'output/kernel [4 3] weight',
      'output/bias [3] bias'
    ])
  })

  it('cnn halves the image after each convolution', async () => {
    expect(await shapesOf({ preset: 'cnn', filters: [2, 4], hidden: 6 })).toEqual([
      'conv_1/kernel [3 3 1 2] weight',
      'conv_1/bias [2] bias',
      'conv_2/kernel [3 3 2 4] weight',
      'conv_2/bias [4] bias',
      'dense/kernel [16 6] weight',
      'dense/bias [6] bias',
      'output/kernel [6 3] weight',
      'output/bias [3] bias'
    ])
  })

  it('starts kernels He-uniform and biases at zero', async () => {
    const tensors = await describeModel({ preset: 'cnn', filters: [2, 4], hidden: 6 }, images)

    expect(tensors[2]?.initialiser).toEqual({ kind: 'uniform', limit: Math.sqrt(6 / (9 * 2)) })
    expect(tensors[4]?.initialiser).toEqual({ kind: 'uniform', limit: Math.sqrt(6 / 16) })
    expect(tensors[3]?.initialiser).toEqual({ kind: 'constant', value: 0 })
  })

  it('cnn asks for images that are large enough', async () => {
    const small = describeModel({ preset: 'cnn', filters: [2, 2, 2, 2], hidden: 6 }, images)
    await expect(small).rejects.toThrow(/images .* at least 16 x 16, and the data is \[8, 8, 1\]/)
    const flat = describeModel(
      { preset: 'cnn', filters: [2], hidden: 6 },
      { shape: [64], classes: 3 }
    )
    await expect(flat).rejects.toMatchObject({ code: 'STARLING_BAD_MODEL' })
  })

  it('is refused before it takes memory when it is too large', async () => {
    await expect(
      describeModel({ preset: 'mlp', hidden: [65_536, 65_536] }, images)
    ).rejects.toThrow("the model has more than 67108864 parameters at 'dense_2/kernel'")
  })
})

describe('a custom topology', () => {
  const bare = topologyOf(flatten, output)

  it.each([
    ['by itself', bare],
    [
      'in a saved model.json',
      { format: 'layers-model', modelTopology: bare, weightsManifest: [{}] }
    ],
    ['in a whole Keras model', { modelTopology: { model_config: bare, keras_version: '2.1.6' } }]
  ])('is read %s', async (_name, topology) => {
    const names = await shapesOf({ topology } as unknown as ModelSpec)
    expect(names).toEqual(['out/kernel [64 3] weight', 'out/bias [3] bias'])
  })

  it('of several branches is read as tfjs exports it', async () => {
    const input = tf.input({ shape: images.shape, name: 'in' })
    const flat = tf.layers.flatten({ name: 'f' }).apply(input) as tf.SymbolicTensor
    const left = tf.layers.dense({ name: 'left', units: 3 }).apply(flat) as tf.SymbolicTensor
    const right = tf.layers.dense({ name: 'right', units: 3 }).apply(flat) as tf.SymbolicTensor
    const sum = tf.layers.add({ name: 'sum' }).apply([left, right]) as tf.SymbolicTensor
    const topology = tf.model({ inputs: input, outputs: sum }).toJSON(null, false)

    expect(await shapesOf({ topology } as unknown as ModelSpec)).toEqual([
      'left/kernel [64 3] weight',
      'left/bias [3] bias',
      'right/kernel [64 3] weight',
      'right/bias [3] bias'
    ])
  })

  it('gives each tensor its role, and statistics are those that are not trained', async () => {
    const spec = custom(
      [
        'SeparableConv2D',
        { name: 'sep', filters: 2, kernel_size: 3, batch_input_shape: [null, 8, 8, 1] }
      ],
      ['BatchNormalization', { name: 'norm' }],
      ['Flatten', {}],
      output
    )
    expect((await shapesOf(spec)).slice(0, 7)).toEqual([
      'sep/depthwise_kernel [3 3 1 1] weight',
      'sep/pointwise_kernel [1 1 1 2] weight',
      'sep/bias [2] bias',
      'norm/gamma [2] normalisation',
      'norm/beta [2] normalisation',
      'norm/moving_mean [2] statistic',
      'norm/moving_variance [2] statistic'
    ])
  })

  it('has the same names whenever it is built, though its layers have none', async () => {
    const gru = { units: 2, recurrent_initializer: 'glorotUniform' }
    const spec = custom(
      ['Reshape', { target_shape: [8, 8], batch_input_shape: [null, 8, 8, 1] }],
      ['Bidirectional', { merge_mode: 'concat', layer: { class_name: 'GRU', config: gru } }],
      ['Dense', { units: 4 }],
      ['Dense', { units: 3 }]
    )

    const first = await shapesOf(spec)

    expect(first[0]).toBe('bidirectional_1/kernel [8 6] weight')
    expect(first[3]).toBe('bidirectional_1/kernel_2 [8 6] weight')
    expect(first[6]).toBe('dense_2/kernel [4 4] weight')
    expect(await shapesOf(spec)).toEqual(first)
  })

  it.each([
    ['Zeros', {}, { kind: 'constant', value: 0 }],
    ['Ones', {}, { kind: 'constant', value: 1 }],
    ['Constant', { value: 0.25 }, { kind: 'constant', value: 0.25 }],
    ['RandomUniform', { minval: -0.3, maxval: 0.3 }, { kind: 'uniform', limit: 0.3 }],
    ['RandomNormal', { mean: 0, stddev: 0.2 }, { kind: 'normal', deviation: 0.2 }],
    ['TruncatedNormal', { mean: 0, stddev: 1 }, { kind: 'normal', deviation: 0.8796256610342398 }],
    ['GlorotUniform', {}, { kind: 'uniform', limit: Math.sqrt(6 / 67) }],
    ['GlorotNormal', {}, { kind: 'normal', deviation: Math.sqrt(2 / 67) }],
    ['HeNormal', {}, { kind: 'normal', deviation: Math.sqrt(2 / 64) }],
    ['LeCunUniform', {}, { kind: 'uniform', limit: Math.sqrt(3 / 64) }],
    [
      'VarianceScaling',
      { scale: 2, mode: 'fan_out', distribution: 'uniform' },
      { kind: 'uniform', limit: Math.sqrt(6 / 3) }
    ]
  ])('honours %s %j', async (class_name, config, initialiser) => {
    const [kernel] = await describeModel(
      dense({ kernel_initializer: { class_name, config } }),
      images
    )
    for (const [key, value] of Object.entries(kernel?.initialiser ?? {})) {
      const wanted = (initialiser as Record<string, unknown>)[key]
      if (typeof value === 'number') expect(value).toBeCloseTo(Number(wanted), 12)
      else expect(value).toBe(wanted)
    }
  })

  const input = { batch_input_shape: [null, 8, 8, 1] }
  const l2 = { class_name: 'L1L2', config: { l1: 0, l2: 0.1 } }
  const orthogonal = { class_name: 'Orthogonal', config: { gain: 1 } }
  const recurrent = (config: object): ModelSpec =>
    custom(
      ['Reshape', { target_shape: [8, 8], ...input }],
      ['GRU', { name: 'gru', units: 2, recurrent_initializer: 'glorotUniform', ...config }],
      output
    )

  it.each<[string, ModelSpec, RegExp]>([
    ['a softmax at its end', dense({ activation: 'softmax' }), /layer 'out' ends .* softmax/],
    [
      'a softmax layer at its end',
      custom(flatten, output, ['Softmax', { name: 'soft' }]),
      /'soft' ends/
    ],
    [
      'other inputs than the data',
      custom(['Flatten', { name: 'f', batch_input_shape: [null, 9, 1] }], output),
      /\[null, 9, 1\], the task's data needs \[null, 8, 8, 1\]/
    ],
    [
      'a fixed batch size',
      custom(['Flatten', { batch_input_shape: [32, 8, 8, 1] }], output),
      /\[32, 8, 8, 1\]/
    ],
    ['other outputs than the classes', dense({ units: 4 }), /'out' gives \[null, 4\]/],
    ['no input shape', custom(['Flatten', {}], output), /first layer .* `inputShape`/],
    [
      'noise',
      custom(flatten, ['GaussianNoise', { name: 'n', stddev: 1 }], output),
      /'n' is a GaussianNoise/
    ],
    [
      'unseeded dropout',
      custom(flatten, ['AlphaDropout', { name: 'n', rate: 0.5 }], output),
      /'n' is a AlphaDropout/
    ],
    [
      'noise in a nested model',
      custom(
        flatten,
        [
          'Sequential',
          {
            name: 'inner',
            layers: [
              {
                class_name: 'GaussianDropout',
                config: { name: 'deep', rate: 0.1, batch_input_shape: [null, 64] }
              }
            ]
          }
        ],
        output
      ),
      /'deep' is a GaussianDropout/
    ],
    ['dropout in a recurrence', recurrent({ dropout: 0.2 }), /'gru' drops out inside/],
    ['state between batches', recurrent({ stateful: true }), /stateful/],
    [
      'a regulariser',
      dense({ kernel_regularizer: l2 }),
      /'kernel' of the layer 'out' has a regulariser/
    ],
    ['an activity regulariser', dense({ activity_regularizer: l2 }), /activity regularizer/],
    [
      'a constraint',
      dense({ bias_constraint: { class_name: 'NonNeg', config: {} } }),
      /'bias' of the layer 'out' has a constraint/
    ],
    [
      'an initialiser of its own kind',
      dense({ kernel_initializer: orthogonal }),
      /starts with 'Orthogonal'/
    ],
    [
      'a lopsided initialiser',
      dense({
        kernel_initializer: { class_name: 'RandomUniform', config: { minval: 0, maxval: 1 } }
      }),
      /starts with 'RandomUniform'/
    ],
    [
      'a layer that does not exist',
      custom(flatten, ['Lambda', { name: 'l' }], output),
      /Unknown layer: Lambda/
    ],
    [
      'too many parameters',
      dense({ units: 1e9 }),
      /'kernel' of the layer 'out' takes the model over/
    ],
    [
      'too many activations',
      custom(
        ['UpSampling2D', { name: 'up', size: [1e4, 1e4], ...input }],
        ['GlobalAveragePooling2D', {}],
        output
      ),
      /'up' gives 6400000000 numbers/
    ],
    [
      'a name that is too long',
      custom(flatten, ['Dense', { name: 'n'.repeat(300), units: 3 }]),
      /too long/
    ],
    ['no layers', { topology: { hello: 1 } }, /no 'class_name'/]
  ])('is refused with %s', async (_what, spec, message) => {
    const before = tf.memory().numTensors

    const refused = describeModel(spec, images)

    await expect(refused).rejects.toMatchObject({ code: 'STARLING_BAD_MODEL' })
    await expect(refused).rejects.toThrow(message)
    expect(tf.memory().numTensors).toBe(before)
  })

  it('leaves tfjs as it was for others', async () => {
    await describeModel({ preset: 'logreg' }, images)
    const layer = tf.layers.dense({ units: 4, inputShape: [4], kernelRegularizer: 'l1l2' })

    expect(() => tf.sequential({ layers: [layer] })).not.toThrow()
    expect(new Set(layer.getWeights()[0]?.dataSync()).size).toBeGreaterThan(1)
  })
})
