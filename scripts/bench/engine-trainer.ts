import { Random } from '../../src/core/random.ts'
import { sampleSize, type Samples } from '../../src/learning/data/dataset.ts'
import { createEngine, type BackendName } from '../../src/learning/engine/select.ts'
import { initialise } from '../../src/learning/layout.ts'
import type { TrainState } from '../../src/learning/training.ts'
import type { EngineCase } from './engine-cases.ts'

/** @returns processor time of a step, in milliseconds, measured over so many */
export async function trainerOf(
  each: EngineCase,
  backend: BackendName,
  fastMath = false
): Promise<(steps: number) => number> {
  const { model, data, optimizer, batchSize } = each
  const engine = await createEngine({ model, data, backend, fastMath })
  const samples = randomSamples(each)
  const rows = Array.from({ length: batchSize }, (_, row) => row)
  let state: TrainState = {
    parameters: initialise(engine.layout, new Random('parameters')),
    optimizer: new Float32Array(),
    steps: 0
  }
  return (steps) => {
    const start = process.cpuUsage()
    const plan = { samples, rowsAt: () => rows, seedAt: (step: number) => step }
    const { parameters, optimizer: memory } = engine.train(state, optimizer, plan, steps)
    const { user, system } = process.cpuUsage(start)
    state = { parameters, optimizer: memory, steps: state.steps + steps }
    return (user + system) / 1000 / steps
  }
}

/** Noise to learn by heart: what a step costs does not depend on it. */
export function randomSamples({
  data,
  batchSize
}: Pick<EngineCase, 'data' | 'batchSize'>): Samples {
  const random = new Random('samples')
  const { positions } = data
  const feature = (): number =>
    positions === undefined ? random.normal() : random.integer(data.classes)
  return {
    features: Float32Array.from({ length: batchSize * sampleSize(data) }, feature),
    labels: Uint16Array.from({ length: batchSize * (positions ?? 1) }, () =>
      random.integer(data.classes)
    ),
    count: batchSize
  }
}
