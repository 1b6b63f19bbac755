import { present } from '../../src/core/assert.ts'
import { Random } from '../../src/core/random.ts'
import { createEngine } from '../../src/learning/engine/select.ts'
import { initialise } from '../../src/learning/layout.ts'
import { train } from '../../src/learning/train.ts'
import type { TrainState } from '../../src/learning/training.ts'
import { randomSamples } from './engine-trainer.ts'
import { median } from './median.ts'

const peers = 1000
const rounds = 5
const data = { shape: [784], classes: 10 }
const training = {
  optimizer: { kind: 'sgd', learningRate: 0.01, momentum: 0 },
  batchSize: 32,
  localSteps: 4
} as const

export interface ManyPeers {
  readonly peers: number
  /** Processor time of one step of one peer, batches and copies included. */
  readonly stepMs: number
  readonly residentGiB: number
}

/** A thousand models of 784-64-10 in one process, each trained in turn as the simulator does. */
export async function benchManyPeers(): Promise<ManyPeers> {
  const engine = await createEngine({ model: { preset: 'mlp', hidden: [64] }, data })
  const samples = Array.from({ length: peers }, () => randomSamples({ data, batchSize: 64 }))
  const states = samples.map((_, peer): TrainState => {
    const parameters = initialise(engine.layout, new Random(`peer-${peer}`))
    return { parameters, optimizer: new Float32Array(), steps: 0 }
  })
  const times: number[] = []
  for (let round = -1; round < rounds; round++) {
    const start = process.cpuUsage()
    for (const [peer, state] of states.entries()) {
      const random = new Random(`batches/${peer}`)
      const own = present(samples[peer], 'the samples of a peer')
      states[peer] = train(engine, own, training, state, training.localSteps, random)
    }
    const { user, system } = process.cpuUsage(start)
    if (round >= 0) times.push((user + system) / 1000 / peers / training.localSteps)
  }
  return { peers, stepMs: median(times), residentGiB: process.memoryUsage().rss / 2 ** 30 }
}
