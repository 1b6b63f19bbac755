import { Random } from '../../core/random.ts'
import { isStarlingError } from '../../core/errors.ts'
import { backendNames, createEngine } from '../../learning/engine/select.ts'
import type { Engine } from '../../learning/engine/engine.ts'
import { initialise } from '../../learning/layout.ts'

/** Images of 28 × 28 through 512 and 256 hidden units, 64 at a time. */
const model = { preset: 'mlp', hidden: [512, 256] } as const
const data = { shape: [28, 28, 1], classes: 10 }
const batchSize = 64
/** Multiplications and additions: two for each weight and sample, on the way there and twice back. */
const operations = 2 * batchSize * (784 * 512 * 2 + 3 * (512 * 256 + 256 * 10))
/** Longest time to spend on one backend, in milliseconds. */
const budgetMs = 500

export interface Measured {
  readonly backend: string
  readonly what: string
  readonly isUsable: boolean
}

/** Which backends compute here, why or why not, and how fast. */
export async function measureEngine(): Promise<Measured[]> {
  const measured: Measured[] = []
  // `tfjs` is one of the others.
  for (const backend of backendNames.filter((name) => name !== 'tfjs')) {
    try {
      const engine = await createEngine({
        model: { ...model, hidden: [...model.hidden] },
        data,
        backend
      })
      const stepMs = stepMsOf(engine)
      const rate = operations / stepMs / 1e6
      const speed = `${stepMs.toPrecision(3)} ms a step of 784-512-256-10 and 64 samples`
      measured.push({
        backend,
        what: `${engine.reason}: ${speed}, ${rate.toPrecision(2)} GFLOP/s`,
        isUsable: true
      })
      engine.dispose()
    } catch (error) {
      if (!isStarlingError(error)) throw error
      measured.push({ backend, what: error.message, isUsable: false })
    }
  }
  return measured
}

function stepMsOf(engine: Engine): number {
  const random = new Random('doctor')
  const samples = {
    features: Float32Array.from({ length: batchSize * 784 }, () => random.next()),
    labels: Uint16Array.from({ length: batchSize }, () => random.integer(10)),
    count: batchSize
  }
  const rows = Array.from({ length: batchSize }, (_, row) => row)
  const batches = { samples, rowsAt: () => rows, seedAt: () => 0 }
  const optimizer = { kind: 'sgd', learningRate: 0.01, momentum: 0 } as const
  const parameters = initialise(engine.layout, random)
  const state = { parameters, optimizer: new Float32Array(), steps: 0 }
  let [best, spentMs] = [Infinity, 0]
  while (spentMs < budgetMs) {
    const startMs = performance.now()
    engine.train(state, optimizer, batches, 1)
    const stepMs = performance.now() - startMs
    best = Math.min(best, stepMs)
    spentMs += stepMs
  }
  return best
}
