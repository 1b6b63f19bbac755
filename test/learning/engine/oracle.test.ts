import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { createEngine } from '../../../src/learning/engine/select.ts'
import { layerSpecSchema } from '../../../src/learning/layers/layers.ts'
import { allLayerCases, batchOf, type LayerCase } from './layer-cases.ts'
import { relativeDifference, someParameters } from './models.ts'
import { oracleSeed, type OracleAnswer } from './oracle-answer.ts'

/**
 * The oracle: our own engine against stock TensorFlow.js in another process, and against its own loss
 * by finite differences, on every case.
 */
const child = fileURLToPath(new URL('oracle-child.ts', import.meta.url))
const cases = await allLayerCases()

const answers = new Map<string, OracleAnswer>()
beforeAll(async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [child], { maxBuffer: 2 ** 28 })
  for (const [name, answer] of JSON.parse(stdout) as [string, OracleAnswer][]) {
    answers.set(name, answer)
  }
})

/** Dividing by the deviation of a few numbers makes more of the last bits. */
function tolerance({ layers }: LayerCase): number {
  return layers.some(({ kind }) => (kind as string) === 'batchNorm') ? 1e-4 : 1e-5
}

describe('the cases', () => {
  it('are many, and have every kind of layer', () => {
    const kinds = new Set(cases.flatMap(([, { layers }]) => layers.map(({ kind }) => kind)))

    expect(cases.length).toBeGreaterThanOrEqual(25)
    expect([...kinds].sort()).toEqual(
      layerSpecSchema.options.map(({ shape }) => shape.kind.value).sort()
    )
    expect(new Set(cases.map(([name]) => name)).size).toBe(cases.length)
  })
})

describe.each(cases)('our own engine with %s', (name, layerCase) => {
  const { layers, data, loss } = layerCase
  const engineFor = () => createEngine({ model: { layers }, data, loss, backend: 'plan' })

  it('agrees with stock TensorFlow.js', async () => {
    const engine = await engineFor()
    const batch = batchOf(layerCase)
    const parameters = someParameters(engine.layout)
    const scores = engine.logits(parameters, batch)
    const gradient = new Float32Array(parameters.length)

    const value = engine.gradient(parameters, batch, gradient, oracleSeed)

    const answer = answers.get(name) as OracleAnswer
    const limit = tolerance(layerCase)
    expect(Math.abs(value - answer.loss) / Math.abs(answer.loss), 'loss').toBeLessThan(limit)
    expect(relativeDifference(gradient, answer.gradient), 'gradient').toBeLessThan(limit)
    expect(relativeDifference(scores, answer.scores), 'scores').toBeLessThan(limit)
    for (const { name, role, offset, size } of engine.layout.tensors) {
      if (role !== 'statistic') continue
      const [ours, theirs] = [parameters, answer.statistics].map((all) =>
        all.slice(offset, offset + size)
      )
      expect(relativeDifference(ours as Float32Array, theirs as number[]), name).toBeLessThan(limit)
    }
    engine.dispose()
  })

  // Steps of 0.002 along each tensor's own slope: smaller ones drown in the float32 of the scores,
  // larger ones meet more of the kinks of relu and pooling.
  it('gives the slope that finite differences show, tensor by tensor', async () => {
    const engine = await engineFor()
    const batch = batchOf(layerCase)
    const parameters = someParameters(engine.layout)
    const gradient = new Float32Array(parameters.length)
    engine.gradient(parameters.slice(), batch, gradient, oracleSeed)
    const lossAlong = (direction: Float32Array, step: number): number => {
      const moved = parameters.map((value, i) => value + step * (direction[i] as number))
      return engine.gradient(moved, batch, new Float32Array(moved.length), oracleSeed)
    }
    const step = 2e-3

    for (const { name, role, offset, size } of engine.layout.tensors) {
      if (role === 'statistic') continue
      const slope = gradient.map((value, i) => (i >= offset && i < offset + size ? value : 0))
      const length = Math.hypot(...slope)
      if (length < 1e-4) continue
      const direction = slope.map((value) => value / length)

      const shown = (lossAlong(direction, step) - lossAlong(direction, -step)) / (2 * step)

      expect(Math.abs(shown - length) / (length + 0.01), name).toBeLessThan(0.03)
    }
    engine.dispose()
  })
})
