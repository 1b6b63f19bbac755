import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Random } from '../../../src/core/random.ts'
import type { DataSchema, Samples } from '../../../src/learning/data/dataset.ts'
import { sampleSize } from '../../../src/learning/data/dataset.ts'
import { PlanEngine } from '../../../src/learning/engine/plan/plan-engine.ts'
import type { LayerSpec } from '../../../src/learning/layers/layers.ts'
import { initialise, type Layout, type TensorSpec } from '../../../src/learning/layout.ts'
import { createGraph } from '../../../src/learning/model/graph.ts'
import { someConv2d, someDepthwiseConv2d, someWideConv2d } from './some-convolution.ts'
import { poolShapes } from './some-pooling.ts'
import { sequenceShapes } from './some-sequence.ts'

/**
 * No kernel reads or writes outside of what it is given. Every region of a plan gets a gap around it,
 * every tensor one behind it, and all memory is filled with one NaN before a step. A write beyond a region shows in a gap; what is
 * read from beyond, or before it was written, shows as NaN in the result.
 */
const gapBytes = 192
const canary = 0x7fc0beef

const side = fc.integer({ min: 1, max: 9 })
const count = fc.integer({ min: 1, max: 5 })
const activation = fc.constantFrom('linear', 'relu', 'gelu', 'tanh', 'sigmoid')

interface Case {
  readonly layers: LayerSpec[]
  readonly data: DataSchema
  readonly count: number
}

const dense = fc
  .record({
    shape: fc.oneof(
      side.map((width) => [width]),
      fc.tuple(side, side)
    ),
    widths: fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), activation), { maxLength: 3 }),
    softmax: fc.boolean(),
    classes: fc.integer({ min: 2, max: 20 }),
    count
  })
  .map(({ shape, widths, softmax, classes, count }): Case => ({
    layers: [
      ...widths.map(([units, activation]): LayerSpec => ({ kind: 'dense', units, activation })),
      ...(softmax ? [{ kind: 'activation', function: 'softmax' } as const] : []),
      { kind: 'flatten' },
      { kind: 'dense', units: classes }
    ],
    data: { shape, classes },
    count
  }))

const cases: Record<string, fc.Arbitrary<Case>> = {
  dense,
  conv2d: someConv2d,
  'conv2d with many channels': someWideConv2d,
  depthwiseConv2d: someDepthwiseConv2d,
  ...poolShapes,
  ...sequenceShapes
}

describe.each(Object.entries(cases))('the kernels of %s', (_name, arbitrary) => {
  it('stay inside of what they are given', () => {
    fc.assert(
      fc.property(arbitrary, ({ layers, data, count }) => {
        const guarded = engineFor(layers, data, true)
        const plain = engineFor(layers, data, false)
        const parameters = someParameters(plain)
        const apart = movedTo(guarded.layout, parameters, plain.layout)
        const batch = someSamples(data, count)
        const placements = guarded.placementsFor(count)
        const first = Math.min(...placements.map(({ start }) => start)) - gapBytes
        const words = new Uint32Array(guarded.memory.buffer)
        words.fill(canary, first / 4)

        const gradient = new Float32Array(apart.length)
        const plainGradient = new Float32Array(parameters.length)
        const loss = guarded.gradient(apart, batch, gradient, 7)
        const plainLoss = plain.gradient(parameters.slice(), batch, plainGradient, 7)

        expect(loss).toBe(plainLoss)
        expect(Number.isFinite(loss)).toBe(true)
        expect(movedTo(plain.layout, gradient, guarded.layout)).toEqual(plainGradient)
        expect(gapsOf(guarded.layout, apart).every(Number.isNaN)).toBe(true)
        expect(writtenBeyond(words, placements, first)).toEqual([])
      }),
      { numRuns: 60 }
    )
  })
})

/** Places outside of all regions that do not hold the canary any more. */
function writtenBeyond(
  words: Uint32Array,
  placements: readonly { readonly start: number; readonly end: number }[],
  first: number
): number[] {
  const outside = new Uint8Array(words.length).fill(1)
  outside.fill(0, 0, first / 4)
  for (const { start, end } of placements) outside.fill(0, start / 4, Math.ceil(end / 4))
  const found: number[] = []
  for (let word = 0; word < words.length; word++) {
    if (outside[word] === 1 && words[word] !== canary) found.push(4 * word)
  }
  return found
}

/** Guarded, it has gaps around all regions, and a tensor of no layer behind each tensor. */
function engineFor(layers: LayerSpec[], data: DataSchema, isGuarded: boolean): PlanEngine {
  const graph = createGraph(layers, data)
  const tensors = isGuarded ? graph.tensors.flatMap((tensor) => [tensor, gapAfter(tensor)]) : []
  return new PlanEngine({
    ...{ graph, data, fastMath: false, loss: 'softmax-cross-entropy' },
    ...(isGuarded ? { tensors, gapBytes } : { tensors: graph.tensors })
  })
}

const gapName = 'nobody'

function gapAfter({ name }: TensorSpec): TensorSpec {
  const initialiser = { kind: 'constant', value: NaN } as const
  return { name: `${name}/${gapName}`, shape: [13], role: 'statistic', initialiser }
}

/** The tensors of one layout in the places of another; gaps hold what is no number. */
function movedTo(to: Layout, values: Float32Array, from: Layout): Float32Array {
  const moved = new Float32Array(to.parameterCount).fill(NaN)
  for (const { name, offset, size } of from.tensors) {
    const target = to.tensors.find((tensor) => tensor.name === name)
    if (target) moved.set(values.subarray(offset, offset + size), target.offset)
  }
  return moved
}

function gapsOf({ tensors }: Layout, values: Float32Array): number[] {
  return tensors
    .filter(({ name }) => name.endsWith(gapName))
    .flatMap(({ offset, size }) => [...values.subarray(offset, offset + size)])
}

function someParameters({ layout }: PlanEngine): Float32Array {
  const random = new Random('parameters')
  return initialise(layout, random).map((value) => value + 0.1 * random.normal())
}

function someSamples(data: DataSchema, count: number): Samples {
  const random = new Random('samples')
  const { classes, positions = 1 } = data
  const isText = data.positions !== undefined
  return {
    features: Float32Array.from({ length: count * sampleSize(data) }, () =>
      isText ? random.integer(classes) : random.normal()
    ),
    labels: Uint16Array.from({ length: count * positions }, () => random.integer(classes)),
    count
  }
}
