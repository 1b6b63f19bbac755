import { present } from '../src/core/assert.ts'
import type { Random } from '../src/core/random.ts'
import { selectSamples, type Dataset, type Samples } from '../src/learning/data/dataset.ts'
import { partition } from '../src/learning/data/partition.ts'
import { loadDataset, parseDataSpec, type DataDirectories } from '../src/learning/data/spec.ts'
import { createEngine, type EngineOptions } from '../src/learning/engine/select.ts'
import { evaluate, train } from '../src/learning/train.ts'
import type { LearningFactory } from './run.ts'
import type { Scenario } from './scenario.ts'
import { taskOf } from './task.ts'
import { rankByBetweenness, rankByDegree, type Topology } from './topology.ts'

export interface LearnerOptions extends DataDirectories {
  readonly backend?: EngineOptions['backend']
}

/** Learning with the models and the data that a scenario names. */
export function learner(options: LearnerOptions = {}): LearningFactory {
  // Arms and seeds mostly differ in other things; decoding images again takes seconds.
  let loaded: { readonly spec: string; readonly dataset: Dataset } | undefined

  return async (scenario, topology, random) => {
    const spec = dataSpecOf(scenario)
    if (loaded?.spec !== spec) loaded = { spec, dataset: loadDataset(spec, options) }
    const { dataset } = loaded
    const shards = shardsOf(scenario, topology, dataset, random)
    const { backend = 'auto' } = options
    const { shape, classes, positions } = dataset
    const data = { shape, classes, positions, scale: scenario.data.scale }
    const { model, loss } = scenario.task
    const engine = await createEngine({ model, data, loss, backend })
    const task = taskOf(scenario, engine.layout.tensors.map(specOf), data, random)

    return {
      task,
      trainer: {
        samplesOf: (peer) => shards[peer]?.count ?? 0,
        train: (peer, state, steps) =>
          train(
            engine,
            present(shards[peer], `the data of peer ${peer}`),
            task.manifest.training,
            state,
            steps,
            random.fork(`batches/${peer}`)
          ),
        evaluate: (parameters) => evaluate(engine, parameters, dataset.test)
      },
      dispose: () => engine.dispose()
    }
  }
}

/** What the peers need and no more: a generated set makes as many samples as it is asked for. */
function dataSpecOf({ data, peers }: Scenario): string {
  const { options } = parseDataSpec(data.source)
  const extra: string[] = []
  if (options.test === undefined) extra.push(`test=${data.testSamples}`)
  if (options.limit === undefined && data.samplesPerPeer !== undefined) {
    // Uneven classes run dry when there is just enough of everything.
    const spare = data.partition.kind === 'iid' || data.partition.kind === 'quantity' ? 1 : 2
    extra.push(`limit=${data.samplesPerPeer * (peers - withoutCount(data)) * spare}`)
  }
  if (extra.length === 0) return data.source
  return `${data.source}${data.source.includes('?') ? '&' : '?'}${extra.join('&')}`
}

function shardsOf(scenario: Scenario, topology: Topology, dataset: Dataset, random: Random) {
  const { data, peers } = scenario
  const without = new Set(peersWithout(scenario, topology, random))
  const holders = Array.from({ length: peers }, (_, peer) => peer).filter(
    (peer) => !without.has(peer)
  )
  const rows = partition(
    dataset.train,
    dataset.classes,
    holders.length,
    data.partition,
    data.samplesPerPeer,
    random.fork('partition')
  )
  const shards = new Array<Samples | undefined>(peers).fill(undefined)
  for (const [place, peer] of holders.entries()) {
    shards[peer] = selectSamples(dataset.train, rows[place] ?? [])
  }
  return shards
}

function peersWithout({ data, peers }: Scenario, topology: Topology, random: Random): number[] {
  const select = typeof data.without === 'number' ? 'random' : data.without.select
  const ranked = {
    random: () => random.fork('without').shuffle(Array.from({ length: peers }, (_, peer) => peer)),
    degree: () => rankByDegree(topology),
    betweenness: () => rankByBetweenness(topology)
  }[select]()
  return ranked.slice(0, withoutCount(data))
}

function withoutCount({ without }: Scenario['data']): number {
  return typeof without === 'number' ? without : without.count
}

/** A tensor without its place. */
function specOf<T extends { offset: number; size: number }>({ offset: _, size: __, ...spec }: T) {
  return spec
}
