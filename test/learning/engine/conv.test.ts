import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Random } from '../../../src/core/random.ts'
import { createEngine } from '../../../src/learning/engine/select.ts'
import type { Engine } from '../../../src/learning/engine/engine.ts'
import { initialise } from '../../../src/learning/layout.ts'
import { createGraph } from '../../../src/learning/model/graph.ts'
import type { LayerSpec } from '../../../src/learning/layers/layers.ts'
import {
  someConv2d,
  someDepthwiseConv2d,
  someWideConv2d,
  type ConvolutionCase
} from './some-convolution.ts'

const cases = {
  conv2d: someConv2d,
  'conv2d with many channels': someWideConv2d,
  depthwiseConv2d: someDepthwiseConv2d
}

describe.each(Object.entries(cases))('%s', (_kind, arbitrary) => {
  it('gives the sums of products that its definition says', async () => {
    await fc.assert(
      fc.asyncProperty(arbitrary, async (each) => {
        const engine = await engineFor(each, 'plan')
        const { parameters, samples } = drawn(each, engine)
        const seen = engine.activations(parameters, samples, ['before', 'it'])
        const [before, it] = [seen.get('before'), seen.get('it')]
        const wanted = byDefinition(each, engine, parameters, before?.values ?? new Float32Array())
        expect(largestDifference(it?.values ?? [], wanted)).toBeLessThan(2e-5)
      }),
      { numRuns: 100 }
    )
  })

  it('goes back as TensorFlow.js does', async () => {
    await fc.assert(
      fc.asyncProperty(arbitrary, async (each) => {
        const [own, other] = [await engineFor(each, 'plan'), await engineFor(each, 'cpu')]
        const { parameters, samples } = drawn(each, own)
        const [slope, wanted] = [own, other].map((engine) => {
          const gradient = new Float32Array(parameters.length)
          engine.gradient(parameters.slice(), samples, gradient, 0)
          return gradient
        }) as [Float32Array, Float32Array]
        const size = Math.max(1e-3, ...wanted.map(Math.abs))
        expect(largestDifference(slope, wanted) / size).toBeLessThan(1e-4)
        other.dispose()
      }),
      { numRuns: 30 }
    )
  })
})

describe('a convolution that does not fit', () => {
  const data = { shape: [4, 5, 3], classes: 2 }
  const refusal =
    (layer: LayerSpec, shape = data.shape) =>
    (): unknown =>
      createGraph([layer, { kind: 'flatten' }, { kind: 'dense', units: 2 }], { ...data, shape })

  it('says that its window is too large, and what helps', () => {
    expect(refusal({ kind: 'conv2d', filters: 2, kernelSize: [3, 6] })).toThrow(
      "the layer 0 'conv2d_1' has a window of 3 x 6, larger than its input of 4 x 5: " +
        "make the window smaller, or use padding 'same'"
    )
  })

  it('says that it needs images', () => {
    expect(refusal({ kind: 'depthwiseConv2d', kernelSize: 1 }, [4, 5])).toThrow(
      "the layer 0 'depthwiseConv2d_1' needs images [height, width, channels], and looks at [4, 5]"
    )
  })
})

async function engineFor(
  { layers, data }: ConvolutionCase,
  backend: 'plan' | 'cpu'
): Promise<Engine> {
  return createEngine({ model: { layers }, data, backend })
}

function drawn({ data, count }: ConvolutionCase, { layout }: Engine) {
  const random = new Random('drawn')
  const size = data.shape.reduce((product, side) => product * side, 1)
  return {
    parameters: initialise(layout, random).map((value) => value + 0.1 * random.normal()),
    samples: {
      features: Float32Array.from({ length: count * size }, () => random.normal()),
      labels: Uint16Array.from({ length: count }, () => random.integer(data.classes)),
      count
    }
  }
}

/** The layer's output in double precision, by one loop for each letter of the formula. */
function byDefinition(
  { layers, data, count }: ConvolutionCase,
  { layout }: Engine,
  parameters: Float32Array,
  input: Float32Array
): Float64Array {
  const it = layers[1] as Extract<LayerSpec, { kind: 'conv2d' | 'depthwiseConv2d' }>
  const tensor = (name: string): Float32Array => {
    const slot = layout.tensors.find((each) => each.name === `it/${name}`)
    return slot ? parameters.subarray(slot.offset, slot.offset + slot.size) : new Float32Array()
  }
  const [height, width] = data.shape as [number, number]
  const channels = input.length / (count * height * width)
  const [rows, columns] = it.kernelSize as [number, number]
  const [down, across] = it.strides as [number, number]
  const [top, outHeight] = edge(height, rows, down, it.padding)
  const [left, outWidth] = edge(width, columns, across, it.padding)
  const isDepthwise = it.kind === 'depthwiseConv2d'
  const multiplier = isDepthwise ? (it.multiplier ?? 1) : 1
  const filters = isDepthwise ? channels * multiplier : it.filters
  const kernel = tensor(isDepthwise ? 'depthwise_kernel' : 'kernel')
  const bias = tensor('bias')
  const output = new Float64Array(count * outHeight * outWidth * filters)
  let place = 0
  for (let n = 0; n < count; n++) {
    for (let y = 0; y < outHeight; y++) {
      for (let x = 0; x < outWidth; x++) {
        for (let f = 0; f < filters; f++) {
          let sum = bias[f] ?? 0
          for (let r = 0; r < rows; r++) {
            for (let s = 0; s < columns; s++) {
              const [i, j] = [y * down + r - top, x * across + s - left]
              if (i < 0 || i >= height || j < 0 || j >= width) continue
              for (let c = 0; c < channels; c++) {
                if (isDepthwise && c !== Math.floor(f / multiplier)) continue
                const tap = (r * columns + s) * channels
                const weight = isDepthwise ? tap * multiplier + f : (tap + c) * filters + f
                const pixel = ((n * height + i) * width + j) * channels + c
                sum += (input[pixel] as number) * (kernel[weight] as number)
              }
            }
          }
          output[place++] = activated(it.activation, sum)
        }
      }
    }
  }
  return output
}

/** Zeros before the first pixel and places of the window: https://www.tensorflow.org/api_docs/python/tf/nn. */
function edge(
  input: number,
  size: number,
  stride: number,
  padding: 'same' | 'valid' | undefined
): [number, number] {
  if (padding === 'valid') return [0, Math.ceil((input - size + 1) / stride)]
  const output = Math.ceil(input / stride)
  return [Math.floor(Math.max(0, (output - 1) * stride + size - input) / 2), output]
}

function activated(name: string | undefined, x: number): number {
  if (name === 'relu') return Math.max(0, x)
  if (name === 'tanh') return Math.tanh(x)
  if (name !== 'gelu') return x
  return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
}

function largestDifference(one: ArrayLike<number>, other: ArrayLike<number>): number {
  if (one.length !== other.length) return Infinity
  let most = 0
  for (let i = 0; i < one.length; i++) {
    const difference = Math.abs((one[i] as number) - (other[i] as number))
    if (!(difference <= most)) most = difference
  }
  return most
}
