import * as tf from '@tensorflow/tfjs'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { createEngine, type BackendName } from '../../../src/learning/engine/select.ts'
import { prepareWasm } from '../../../src/learning/engine/wasm.ts'
import type { ModelSpec } from '../../../src/learning/model/spec.ts'
import {
  data,
  glorot,
  models,
  output,
  relativeDifference,
  samples,
  sequential,
  someParameters
} from './models.ts'

const layers: Record<string, ModelSpec> = {
  'strided convolutions': sequential(
    ['Conv2D', { filters: 4, kernel_size: [2, 3], strides: [2, 1], padding: 'same' }],
    ['Conv2D', { filters: 3, kernel_size: [1, 1], strides: [1, 2] }],
    ['Flatten', {}],
    output
  ),
  'transposed convolution': sequential(
    ['Conv2DTranspose', { filters: 3, kernel_size: [3, 3], strides: [1, 1] }],
    ['Conv2DTranspose', { filters: 2, kernel_size: [2, 2], strides: [2, 2] }],
    ['Flatten', {}],
    output
  ),
  'overlapping pooling': sequential(
    ['Conv2D', { filters: 3, kernel_size: [1, 1] }],
    ['MaxPooling2D', { pool_size: [3, 2], strides: [1, 1] }],
    ['Flatten', {}],
    output
  ),
  'average pooling': sequential(
    ['Conv2D', { filters: 3, kernel_size: [3, 3], padding: 'same' }],
    ['AveragePooling2D', { pool_size: [2, 2] }],
    ['GlobalAveragePooling2D', {}],
    output
  ),
  'separable convolution': sequential(
    [
      'SeparableConv2D',
      {
        filters: 3,
        kernel_size: [3, 3],
        depthwise_initializer: glorot,
        pointwise_initializer: glorot
      }
    ],
    ['Flatten', {}],
    output
  ),
  'depthwise convolution': sequential(
    ['DepthwiseConv2D', { kernel_size: [3, 3], depthwise_initializer: glorot }],
    ['DepthwiseConv2D', { kernel_size: [2, 2], depthwise_initializer: glorot }],
    ['Flatten', {}],
    output
  ),
  upsampling: sequential(
    ['Conv2D', { filters: 3, kernel_size: [3, 3] }],
    ['UpSampling2D', { size: [2, 2] }],
    ['Conv2D', { filters: 2, kernel_size: [3, 3] }],
    ['Flatten', {}],
    output
  ),
  embedding: sequential(
    ['Flatten', {}],
    ['Embedding', { input_dim: 4, output_dim: 3 }],
    ['Flatten', {}],
    output
  ),
  'recurrence, both ways': sequential(
    ['Reshape', { target_shape: [6, 8] }],
    [
      'Bidirectional',
      {
        merge_mode: 'concat',
        layer: { class_name: 'GRU', config: { units: 3, recurrent_initializer: glorot } }
      }
    ],
    ['LayerNormalization', {}],
    output
  )
}

async function gradientOn(backend: BackendName, model: ModelSpec): Promise<Float32Array> {
  const engine = await createEngine({ model, data, backend })
  const parameters = someParameters(engine.layout)
  const gradient = new Float32Array(parameters.length)
  engine.gradient(parameters, samples(5), gradient, 1)
  engine.dispose()
  return gradient
}

describe('wasm and cpu', () => {
  it.each(Object.entries({ ...models, ...layers }))(
    'agree on the gradient of %s',
    async (_name, model) => {
      const wasm = await gradientOn('wasm', model)
      const cpu = await gradientOn('cpu', model)

      expect(cpu.some((value) => value !== 0)).toBe(true)
      expect(relativeDifference(wasm, cpu)).toBeLessThan(1e-4)
    }
  )
})

describe('the kernels of our own', () => {
  beforeAll(() => prepareWasm(tf))

  async function onBoth(compute: () => tf.Tensor[]): Promise<[number[], number[]]> {
    const results: number[][] = []
    for (const backend of ['wasm', 'cpu']) {
      await tf.setBackend(backend)
      results.push(tf.tidy(() => compute().flatMap((tensor) => [...tensor.dataSync()])))
    }
    return results as [number[], number[]]
  }

  function ramp(...shape: number[]): tf.Tensor {
    const size = shape.reduce((product, side) => product * side, 1)
    return tf.tensor(
      Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7) + 0.3),
      shape
    )
  }

  const side = fc.integer({ min: 1, max: 9 })
  const few = fc.integer({ min: 1, max: 3 })

  it('give both gradients of any convolution', async () => {
    const shapes = fc.record({
      batch: few,
      height: side,
      width: side,
      channelsIn: few,
      channelsOut: few,
      filterHeight: fc.integer({ min: 1, max: 4 }),
      filterWidth: fc.integer({ min: 1, max: 4 }),
      strides: fc.tuple(few, few),
      pad: fc.constantFrom('same' as const, 'valid' as const)
    })
    await fc.assert(
      fc.asyncProperty(shapes, async (s) => {
        fc.pre(s.pad === 'same' || (s.filterHeight <= s.height && s.filterWidth <= s.width))
        const [wasm, cpu] = await onBoth(() => {
          const x = ramp(s.batch, s.height, s.width, s.channelsIn) as tf.Tensor4D
          const filter = ramp(s.filterHeight, s.filterWidth, s.channelsIn, s.channelsOut)
          const slopes = tf.grads((image, taps) => {
            const y = tf.conv2d(image as tf.Tensor4D, taps as tf.Tensor4D, s.strides, s.pad)
            return y.mul(ramp(...y.shape)).sum()
          })
          return slopes([x, filter])
        })
        expect(relativeDifference(wasm, cpu)).toBeLessThan(1e-5)
      }),
      { numRuns: 60 }
    )
  })

  it('give the gradient of any max pooling, of negative numbers and of equal ones', async () => {
    const shapes = fc.record({
      shape: fc.tuple(few, side, side, few),
      filter: fc.tuple(few, few),
      strides: fc.tuple(few, few),
      pad: fc.constantFrom('same' as const, 'valid' as const),
      rounded: fc.boolean()
    })
    await fc.assert(
      fc.asyncProperty(shapes, async ({ shape, filter, strides, pad, rounded }) => {
        fc.pre(pad === 'same' || (filter[0] <= shape[1] && filter[1] <= shape[2]))
        const [wasm, cpu] = await onBoth(() => {
          const image = rounded
            ? ramp(...shape)
                .mul(2)
                .round()
            : ramp(...shape)
          const slope = tf.grad((x) => {
            const y = tf.maxPool(x as tf.Tensor4D, filter, strides, pad)
            return y.mul(ramp(...y.shape)).sum()
          })
          return [slope(image)]
        })
        expect(relativeDifference(wasm, cpu)).toBeLessThan(1e-5)
      }),
      { numRuns: 60 }
    )
  })

  it('give any product of matrices, transposed or not, one or several', async () => {
    const products = fc.record({
      batches: fc.constantFrom([], [1], [2], [1, 1]),
      rows: side,
      inner: fc.constantFrom(1, 2, 7, 50),
      columns: side,
      transposeA: fc.boolean(),
      transposeB: fc.boolean()
    })
    await fc.assert(
      fc.asyncProperty(products, async (p) => {
        const [wasm, cpu] = await onBoth(() => {
          const left = p.transposeA ? [p.inner, p.rows] : [p.rows, p.inner]
          const right = p.transposeB ? [p.columns, p.inner] : [p.inner, p.columns]
          const [a, b] = [ramp(...p.batches, ...left), ramp(...p.batches, ...right)]
          return [tf.matMul(a, b, p.transposeA, p.transposeB)]
        })
        expect(relativeDifference(wasm, cpu)).toBeLessThan(1e-5)
      }),
      { numRuns: 60 }
    )
  })
})
