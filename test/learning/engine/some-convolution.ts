import fc from 'fast-check'
import type { DataSchema } from '../../../src/learning/data/dataset.ts'
import type { LayerSpec } from '../../../src/learning/layers/layers.ts'

export interface ConvolutionCase {
  readonly layers: LayerSpec[]
  readonly data: DataSchema
  readonly count: number
}

const side = fc.integer({ min: 1, max: 9 })
const pair = (max: number): fc.Arbitrary<[number, number]> => {
  const one = fc.integer({ min: 1, max })
  return fc.tuple(one, one)
}

const sliding = fc.record({
  ...{ kernelSize: pair(4), strides: pair(3) },
  padding: fc.constantFrom('same', 'valid'),
  activation: fc.constantFrom('linear', 'relu', 'gelu', 'tanh'),
  useBias: fc.boolean()
})
const images = fc.record({
  ...{ height: side, width: side, channels: side },
  classes: fc.integer({ min: 2, max: 5 }),
  count: fc.integer({ min: 1, max: 3 })
})

/**
 * One layer over small images of odd sides, named `it`, with something to learn before it, so that the
 * slope of its input is asked for. A window that does not fit is padded.
 */
function around<Own extends object>(
  own: fc.Arbitrary<Own>,
  layerOf: (own: Own & Sliding) => LayerSpec
): fc.Arbitrary<ConvolutionCase> {
  return fc.tuple(own, sliding, images).map(([own, sliding, image]) => {
    const { height, width, channels, classes, count } = image
    const [rows, columns] = sliding.kernelSize
    const padding = rows > height || columns > width ? 'same' : sliding.padding
    return {
      layers: [
        { kind: 'dense', name: 'before', units: channels },
        layerOf({ ...own, ...sliding, padding }),
        { kind: 'flatten' },
        { kind: 'dense', units: classes }
      ],
      data: { shape: [height, width, channels], classes },
      count
    }
  })
}

type Sliding = typeof sliding extends fc.Arbitrary<infer Value> ? Value : never

export const someConv2d = around(fc.record({ filters: side }), (spec) => ({
  ...{ kind: 'conv2d', name: 'it' },
  ...spec
}))

const evenSide = fc.constantFrom(2, 4)
const width = fc.constantFrom(20, 24)

/** Windows of 3 × 3 over even sides, with so many channels that they are computed in another way. */
export const someWideConv2d = fc
  .record({
    ...{ height: evenSide, width: evenSide, channels: width, filters: fc.constantFrom(28, 32) },
    ...{ padding: fc.constantFrom('same', 'valid'), useBias: fc.boolean() },
    ...{ activation: fc.constantFrom('linear', 'relu'), count: fc.constantFrom(1, 9) }
  })
  .map(({ height, width, channels, count, padding, ...own }): ConvolutionCase => ({
    layers: [
      { kind: 'dense', name: 'before', units: channels },
      {
        ...{ kind: 'conv2d', name: 'it', kernelSize: [3, 3], strides: [1, 1], ...own },
        padding: Math.min(height, width) < 3 ? 'same' : padding
      },
      { kind: 'flatten' },
      { kind: 'dense', units: 3 }
    ],
    data: { shape: [height, width, 2], classes: 3 },
    count
  }))

export const someDepthwiseConv2d = around(
  fc.record({ multiplier: fc.integer({ min: 1, max: 3 }) }),
  (spec) => ({ ...{ kind: 'depthwiseConv2d', name: 'it' }, ...spec })
)
