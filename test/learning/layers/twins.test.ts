import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DataSchema } from '../../../src/learning/data/dataset.ts'
import { createEngine, type BackendName } from '../../../src/learning/engine/select.ts'
import type { LayerSpec } from '../../../src/learning/layers/layers.ts'
import { relativeDifference, samples, someParameters } from '../engine/models.ts'
import { poolShapes } from '../engine/some-pooling.ts'

/** Gradient, parameters with their statistics after the step, and scores in use. */
async function resultsOf(
  backend: BackendName,
  layers: LayerSpec[],
  data: DataSchema,
  count: number
): Promise<Float32Array[]> {
  const engine = await createEngine({ model: { layers }, data, backend })
  const parameters = someParameters(engine.layout)
  const gradient = new Float32Array(parameters.length)
  const batch = samples(count, 'twins', data)
  engine.gradient(parameters, batch, gradient, 5)
  const scores = engine.logits(parameters, batch)
  engine.dispose()
  return [gradient, parameters, scores]
}

describe('kernels and TensorFlow.js agree', () => {
  it.each(Object.entries(poolShapes))('on %s of any shape', async (_name, arbitrary) => {
    await fc.assert(
      fc.asyncProperty(arbitrary, async ({ layers, data, count }) => {
        // In batches of one or two, variances are near zero and rounding weighs more.
        const own = await resultsOf('plan', layers, data, count + 2)
        const stock = await resultsOf('cpu', layers, data, count + 2)
        for (const [index, values] of own.entries()) {
          expect(relativeDifference(values, stock[index] ?? [])).toBeLessThan(2e-3)
        }
      }),
      { numRuns: 25 }
    )
  })
})
