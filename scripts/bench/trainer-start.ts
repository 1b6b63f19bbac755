import type { TrainerSetup } from '../../peer/trainer-messages.ts'
import type * as Trainer from '../../peer/trainer.ts'
import { loadDataset } from '../../src/learning/data/spec.ts'
import { Random } from '../../src/core/random.ts'
import { describeModel } from '../../src/learning/model/build.ts'
import { createTask, firstState } from '../../src/learning/task.ts'
import { median } from './median.ts'

const rounds = 7
const data = 'glyphs?limit=200&test=50'

/** As it ships: `npm run build` makes it. */
const built = new URL('../../dist/peer/trainer.js', import.meta.url)

/** From nothing to the first step of the daemon's trainer: thread, code, data, engine. On the wall. */
export async function benchTrainerStart(): Promise<number> {
  const { shape, classes } = loadDataset(data)
  const schema = { shape: [...shape], classes }
  const model = { preset: 'mlp' as const, hidden: [64] }
  const task = createTask({
    ...{ format: 'starling/task/1', name: 'bench', model, data: schema },
    tensors: await describeModel(model, schema),
    init: { kind: 'shared', seed: 1 },
    training: { optimizer: { kind: 'sgd', learningRate: 0.1 }, batchSize: 32, localSteps: 1 },
    merge: { rule: 'average' },
    exchange: { mode: 'gossip', intervalMs: 1000, deadlineMs: 1000 }
  })
  const setup: TrainerSetup = {
    ...{ manifest: task.bytes, data, directories: {}, random: 'bench' },
    backend: 'auto',
    fastMath: false
  }
  const { TrainerWorker } = (await import(built.href)) as typeof Trainer
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const startMs = performance.now()
    const trainer = new TrainerWorker(setup)
    await trainer.start()
    await trainer.train(firstState(task, new Random('own')), 1)
    times.push(performance.now() - startMs)
    await trainer.stop()
  }
  return median(times)
}
