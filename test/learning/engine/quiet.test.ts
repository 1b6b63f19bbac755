import { expect, it, vi } from 'vitest'
import { createEngine } from '../../../src/learning/engine/select.ts'
import { data, models, samples, someParameters } from './models.ts'

// In a file of its own: tfjs greets once a process.
it('an engine prints nothing', async () => {
  const prints = (['log', 'info', 'warn', 'error'] as const).map((level) =>
    vi.spyOn(console, level)
  )

  for (const backend of ['cpu', 'wasm'] as const) {
    const engine = await createEngine({ model: models.cnn ?? { preset: 'logreg' }, data, backend })
    const gradient = new Float32Array(engine.layout.parameterCount)
    engine.gradient(someParameters(engine.layout), samples(2), gradient, 1)
    engine.dispose()
  }

  for (const print of prints) expect(print).not.toHaveBeenCalled()
})
