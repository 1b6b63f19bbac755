import fc from 'fast-check'
import type { DataSchema } from '../../../src/learning/data/dataset.ts'
import type { LayerSpec } from '../../../src/learning/layers/layers.ts'

/** Shapes for the test that no kernel leaves the regions that it is given. */
interface Shaped {
  readonly layers: LayerSpec[]
  readonly data: DataSchema
  readonly count: number
}

const side = fc.integer({ min: 1, max: 9 })
const channels = fc.integer({ min: 1, max: 11 })
const count = fc.integer({ min: 1, max: 5 })
const few = fc.integer({ min: 1, max: 3 })

/** A dense layer before, so that slopes are asked for, and scores after. */
function between(units: number, ...layers: LayerSpec[]): LayerSpec[] {
  return [
    { kind: 'dense', name: 'before', units },
    ...layers,
    { kind: 'flatten' },
    { kind: 'dense', name: 'scores', units: 3 }
  ]
}

const pooling = fc
  .record({
    image: fc.tuple(side, side, fc.integer({ min: 1, max: 3 })),
    units: channels,
    kind: fc.constantFrom('maxPool2d', 'avgPool2d'),
    window: fc.tuple(few, few),
    strides: fc.option(fc.tuple(few, few), { nil: undefined }),
    isSame: fc.boolean(),
    count
  })
  .map(({ image, units, kind, window, strides, isSame, count }): Shaped => {
    const fits = window[0] <= image[0] && window[1] <= image[1]
    const pool: LayerSpec = {
      ...{ kind, poolSize: window, strides },
      padding: isSame || !fits ? 'same' : 'valid'
    }
    return { layers: between(units, pool), data: { shape: image, classes: 3 }, count }
  })

const normalising = fc
  .record({
    shape: fc.oneof(fc.tuple(side), fc.tuple(side, side, fc.integer({ min: 1, max: 3 }))),
    groups: few,
    width: fc.integer({ min: 1, max: 5 }),
    kind: fc.constantFrom('batchNorm', 'groupNorm', 'layerNorm'),
    relu: fc.constantFrom('relu' as const, undefined),
    isFirst: fc.boolean(),
    count
  })
  .map(({ shape, groups, width, kind, relu, isFirst, count }): Shaped => {
    const layer: LayerSpec =
      kind === 'layerNorm'
        ? { kind }
        : kind === 'batchNorm'
          ? { kind, activation: relu }
          : { kind, groups, activation: relu }
    // Where it looks at the input, no slope is asked for.
    const first: LayerSpec[] = isFirst && kind !== 'groupNorm' ? [{ ...layer, name: 'first' }] : []
    return {
      layers: [...first, ...between(groups * width, layer)],
      data: { shape, classes: 3 },
      count
    }
  })

const joining = fc
  .record({
    shape: fc.oneof(fc.tuple(side), fc.tuple(side, side, fc.integer({ min: 1, max: 3 }))),
    units: channels,
    other: channels,
    relu: fc.constantFrom('relu' as const, undefined),
    count
  })
  .map(({ shape, units, other, relu, count }): Shaped => {
    const dense = (name: string, units: number): LayerSpec => ({ kind: 'dense', name, units })
    const layers: LayerSpec[] = [
      ...[dense('a', units), dense('b', units), dense('c', other)],
      { kind: 'add', name: 'sum', from: ['a', 'b', 'a'], activation: relu },
      { kind: 'concat', from: ['sum', 'input', 'c'] },
      { kind: 'dropout', rate: 0.4 },
      ...(shape.length === 3 ? [{ kind: 'globalAveragePool2d' } satisfies LayerSpec] : []),
      dense('scores', 3)
    ]
    return { layers, data: { shape, classes: 3 }, count }
  })

export const poolShapes: Record<string, fc.Arbitrary<Shaped>> = { pooling, normalising, joining }
