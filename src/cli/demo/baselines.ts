import { setImmediate as breathe } from 'node:timers/promises'
import { Random } from '../../core/random.ts'
import type { Samples } from '../../learning/data/dataset.ts'
import { loadDataset, type DataDirectories } from '../../learning/data/spec.ts'
import type { Engine } from '../../learning/engine/engine.ts'
import { createEngine } from '../../learning/engine/select.ts'
import { firstState, type Task } from '../../learning/task.ts'
import { evaluate, train } from '../../learning/train.ts'

export interface Baselines {
  /** Mean accuracy of peers that each train alone. */
  readonly localOnlyMean: number
  /** Accuracy of one model trained on all shards together, with as many steps as each peer took. */
  readonly centralized: number
}

/**
 * What the swarm is compared with: the same model, start, optimizer and number of steps, on each
 * shard alone and on their union.
 * @param shards - data SPEC of each peer
 */
export async function measureBaselines(
  task: Task,
  shards: readonly string[],
  steps: number,
  directories: DataDirectories,
  onProgress: (what: string, share: number) => void
): Promise<Baselines> {
  const datasets = shards.map((spec) => loadDataset(spec, directories))
  const { test } = datasets[0] as (typeof datasets)[0]
  const { model, data, tensors, training } = task.manifest
  const engine = await createEngine({ model, data, tensors, loss: training.loss })
  try {
    const accuracyOf = async (samples: Samples, name: string): Promise<number> => {
      const parameters = await trainAlone(engine, task, samples, steps, name, (share) =>
        onProgress(name, share)
      )
      return evaluate(engine, parameters, test).accuracy
    }
    const local: number[] = []
    for (const [peer, { train: samples }] of datasets.entries()) {
      local.push(await accuracyOf(samples, `peer ${peer + 1} alone`))
    }
    const union = unite(datasets.map(({ train: samples }) => samples))
    return {
      localOnlyMean: local.reduce((sum, accuracy) => sum + accuracy, 0) / local.length,
      centralized: await accuracyOf(union, 'all data in one place')
    }
  } finally {
    engine.dispose()
  }
}

async function trainAlone(
  engine: Engine,
  task: Task,
  samples: Samples,
  steps: number,
  name: string,
  onProgress: (share: number) => void
): Promise<Float32Array> {
  const random = new Random(`baseline/${name}`)
  const { training } = task.manifest
  let state = firstState(task, random.fork('init'))
  while (state.steps < steps) {
    const next = Math.min(training.localSteps, steps - state.steps)
    state = train(engine, samples, training, state, next, random)
    onProgress(state.steps / steps)
    await breathe() // Ctrl-C, and the lines on the screen
  }
  return state.parameters
}

function unite(parts: readonly Samples[]): Samples {
  const count = parts.reduce((sum, part) => sum + part.count, 0)
  const features = new Float32Array(parts.reduce((sum, part) => sum + part.features.length, 0))
  const labels = new Uint16Array(parts.reduce((sum, part) => sum + part.labels.length, 0))
  let featuresAt = 0
  let labelsAt = 0
  for (const part of parts) {
    features.set(part.features, featuresAt)
    labels.set(part.labels, labelsAt)
    featuresAt += part.features.length
    labelsAt += part.labels.length
  }
  return { features, labels, count }
}
