import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Random } from '../../../src/core/random.ts'
import type { DataSchema, Samples } from '../../../src/learning/data/dataset.ts'
import { PlanEngine } from '../../../src/learning/engine/plan/plan-engine.ts'
import { createEngine } from '../../../src/learning/engine/select.ts'
import type { LayerSpec } from '../../../src/learning/layers/layers.ts'
import { createGraph } from '../../../src/learning/model/graph.ts'
import type { LayerCase } from './layer-cases.ts'
import { relativeDifference, someParameters } from './models.ts'
import { sequenceShapes } from './some-sequence.ts'

function engineOf(layers: LayerSpec[], data: DataSchema): PlanEngine {
  const graph = createGraph(layers, data)
  const loss = 'softmax-cross-entropy'
  return new PlanEngine({ graph, data, tensors: graph.tensors, loss, fastMath: false })
}

function sequences({ shape, classes, positions = 1 }: DataSchema, count: number): Samples {
  const random = new Random('sequences')
  const size = shape.reduce((product, side) => product * side, 1)
  const features = shape.length === 1 ? () => random.integer(classes) : () => random.normal()
  return {
    features: Float32Array.from({ length: count * size }, features),
    labels: Uint16Array.from({ length: count * positions }, () => random.integer(classes)),
    count
  }
}

interface LossAndGradient {
  readonly loss: number
  readonly gradient: Float32Array
}

async function expectTwins({ layers, data }: LayerCase, count: number): Promise<void> {
  const samples = sequences(data, count)
  const on = async (backend: 'plan' | 'cpu'): Promise<LossAndGradient> => {
    const engine = await createEngine({ model: { layers }, data, backend })
    const parameters = someParameters(engine.layout)
    const gradient = new Float32Array(parameters.length)
    const loss = engine.gradient(parameters, samples, gradient, 0)
    engine.dispose()
    return { loss, gradient }
  }
  const [ours, twin] = [await on('plan'), await on('cpu')]

  expect(ours.loss).toBeCloseTo(twin.loss, 4)
  expect(relativeDifference(ours.gradient, twin.gradient)).toBeLessThan(2e-5)
}

describe('the gradient is that of the twin in TensorFlow.js', () => {
  it.each(Object.entries(sequenceShapes))('for %s of any size', (_, shapes) =>
    fc.assert(
      fc.asyncProperty(shapes, (model) => expectTwins(model, model.count)),
      { numRuns: 40 }
    )
  )
})

const text: DataSchema = { shape: [11], classes: 7, positions: 11 }
const gpt: LayerSpec[] = [
  { kind: 'embedding', vocabulary: 7, width: 12, initialiser: { normal: 1 } },
  { kind: 'positionalEmbedding', initialiser: { normal: 1 } },
  { kind: 'gptBlock', heads: 3 },
  { kind: 'gptBlock', heads: 2 },
  { kind: 'dense', units: 7 }
]

describe('causal self-attention', () => {
  it('does not see what comes later, and sees all that came before', () => {
    const engine = engineOf(gpt, text)
    const parameters = someParameters(engine.layout)
    const samples = sequences(text, 1)
    const changed = { ...samples, features: samples.features.slice() }
    const place = 5
    changed.features[place] = ((samples.features[place] as number) + 1) % 7

    const before = engine.logits(parameters, samples)
    const after = engine.logits(parameters, changed)

    expect(after.subarray(0, 7 * place)).toEqual(before.subarray(0, 7 * place))
    for (let position = place; position < 11; position++) {
      const [from, to] = [7 * position, 7 * (position + 1)]
      expect(after.subarray(from, to)).not.toEqual(before.subarray(from, to))
    }
  })

  it('gives the same scores whether it trains or not', () => {
    const engine = engineOf(gpt, text)
    const parameters = someParameters(engine.layout)
    const samples = sequences(text, 4)

    const loss = engine.gradient(parameters, samples, new Float32Array(parameters.length), 0)

    expect(engine.evaluate(parameters, samples).loss).toBeCloseTo(loss, 6)
  })
})

describe('an embedding', () => {
  it.each(
    (['plan', 'cpu'] as const).flatMap((backend) =>
      [7, -1, NaN, Infinity].map((index) => [backend, index] as const)
    )
  )('refuses, on %s, the index %d in data, and names the bound', async (backend, index) => {
    const engine = await createEngine({ model: { layers: gpt }, data: text, backend })
    const samples = sequences(text, 2)
    samples.features[14] = index

    expect(() => engine.logits(someParameters(engine.layout), samples)).toThrow(
      expect.objectContaining({
        code: 'STARLING_BAD_DATA',
        message: expect.stringContaining(
          `sample 1 has the index ${index} at position 3, but the model's vocabulary has 7 entries`
        ) as string
      })
    )
  })

  it('takes the nearest row for what another layer gives', () => {
    const layers: LayerSpec[] = [
      { kind: 'dense', units: 3, useBias: false },
      { kind: 'embedding', vocabulary: 2, width: 1 },
      { kind: 'flatten' },
      { kind: 'dense', units: 3, useBias: false, initialiser: 'zeros' }
    ]
    const engine = engineOf(layers, { shape: [1], classes: 3 })
    // Indices −4, 1.9 and 1e9 through the first kernel; then one output for each.
    const parameters = Float32Array.of(-4, 1.9, 1e9, 10, 20, 1, 0, 0, 0, 1, 0, 0, 0, 1)

    const scores = engine.logits(parameters, {
      ...{ features: Float32Array.of(1), labels: Uint16Array.of(0), count: 1 }
    })

    expect([...scores]).toEqual([10, 20, 20])
  })

  it('is not for data with a scale', () => {
    const scale = { mean: 0.1, deviation: 0.3 }
    expect(() => engineOf(gpt, { ...text, scale })).toThrow(
      "the layer 'embedding_1' takes indices, but the data has a scale"
    )
  })
})

describe('layers that do not fit', () => {
  const refused = (layer: LayerSpec, shape: number[]) => () =>
    createGraph([layer, { kind: 'flatten' }, { kind: 'dense', units: 2 }], { shape, classes: 2 })

  it('say what they need', () => {
    expect(refused({ kind: 'causalSelfAttention', heads: 3 }, [5, 8])).toThrow(
      "the layer 0 'causalSelfAttention_1' has 3 heads, which do not divide the width of 8"
    )
    expect(refused({ kind: 'causalSelfAttention', heads: 1 }, [8192, 8])).toThrow(
      'has 1 heads of 8192 × 8192 weights a sample, more than'
    )
    expect(refused({ kind: 'lstm', units: 3 }, [8])).toThrow(
      "needs a sequence [positions, width], and looks at [8]: make one of indices with an 'embedding'"
    )
    expect(refused({ kind: 'positionalEmbedding' }, [2, 2, 2])).toThrow('needs a sequence')
    expect(refused({ kind: 'embedding', vocabulary: 2, width: 2 }, [2, 2])).toThrow(
      'needs indices [positions], and looks at [2, 2]'
    )
    expect(refused({ kind: 'gptBlock', name: 'block', heads: 5 }, [4, 8])).toThrow(
      "the layer 0 'block/attention' has 5 heads, which do not divide the width of 8"
    )
  })
})
