import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Random } from '../../src/core/random.ts'
import { selectSamples, type DataSchema, type Samples } from '../../src/learning/data/dataset.ts'
import { loadDataset } from '../../src/learning/data/spec.ts'
import { createEngine } from '../../src/learning/engine/select.ts'
import { initialise } from '../../src/learning/layout.ts'
import type { ModelSpec } from '../../src/learning/model/spec.ts'
import { evaluate, train } from '../../src/learning/train.ts'
import type { TrainingSpec } from '../../src/learning/training.ts'

const dataDirectory =
  process.env.STARLING_DATA ?? resolve(import.meta.dirname, '../../../shared/data')

const training: TrainingSpec = {
  optimizer: { kind: 'adam', learningRate: 5e-3, beta1: 0.9, beta2: 0.99, epsilon: 1e-8 },
  batchSize: 16,
  localSteps: 1
}

/** How a model does on `held` after some steps on `seen`. */
async function learned(
  model: ModelSpec,
  data: DataSchema,
  seen: Samples,
  held: Samples,
  steps: number
): Promise<{ loss: number; accuracy: number }> {
  const engine = await createEngine({ model, data, backend: 'plan' })
  const random = new Random('learning')
  const parameters = initialise(engine.layout, random.fork('parameters'))
  const start = { parameters, optimizer: new Float32Array(), steps: 0 }
  const state = train(engine, seen, training, start, steps, random.fork('training'))
  return evaluate(engine, state.parameters, held)
}

describe('a small GPT', () => {
  it('learns from Shakespeare what no count of single letters knows', async () => {
    const context = 32
    const text = `text:${join(dataDirectory, 'tinyshakespeare/input.txt')}?context=${context}`
    const { train, test, ...data } = loadDataset(`${text}&shard=0/5`, { dataDirectory })
    const held = selectSamples(test, [...Array(300).keys()])
    const model = { preset: 'chargpt', layers: 2, width: 48, heads: 4, dropout: 0 } as const

    const { loss } = await learned(model, data, train, held, 250)

    expect(unigramEntropy(held, data.classes)).toBeGreaterThan(3.2)
    expect(loss).toBeLessThan(2.6)
  })

  /** Nats per letter for who knows how often each comes, and nothing else. */
  function unigramEntropy({ labels }: Samples, classes: number): number {
    const counts = new Float64Array(classes)
    for (const label of labels) counts[label] = (counts[label] as number) + 1
    const shares = [...counts].filter((count) => count > 0).map((count) => count / labels.length)
    return -shares.reduce((sum, share) => sum + share * Math.log(share), 0)
  }
})

describe('an lstm', () => {
  const positions = 12

  /** Sequences of noise in which 1 and 2 occur once each; the label is which came first. */
  function races(count: number, seed: string): Samples {
    const random = new Random(seed)
    const features = Float32Array.from({ length: count * positions }, () => 3 + random.integer(3))
    const labels = Uint16Array.from({ length: count }, (_, row) => {
      const places = random.shuffle([...Array(positions).keys()])
      const [one = 0, two = 0] = places
      features[row * positions + one] = 1
      features[row * positions + two] = 2
      return one < two ? 0 : 1
    })
    return { features, labels, count }
  }

  it('learns which of two symbols came first, however long ago', async () => {
    const model: ModelSpec = {
      layers: [
        { kind: 'embedding', vocabulary: 6, width: 6, initialiser: { normal: 1 } },
        { kind: 'lstm', units: 12 },
        { kind: 'dense', units: 2 }
      ]
    }
    const data = { shape: [positions], classes: 2 }

    const { accuracy } = await learned(model, data, races(2000, 'a'), races(500, 'b'), 600)

    expect(accuracy).toBeGreaterThan(0.97)
  })
})
