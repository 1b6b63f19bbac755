import type { TensorSpec } from '../../src/learning/layout.ts'
import { quadraticTrainer } from '../../sim/quadratic.ts'
import { runScenario, type Learning, type LearningFactory, type Result } from '../../sim/run.ts'
import { parseScenario } from '../../sim/scenario.ts'
import { taskOf } from '../../sim/task.ts'
import type { Trainer } from '../../sim/trainer.ts'

/** Small worlds for tests: the real participants, with bowls to descend instead of models. */

const tensors: TensorSpec[] = [
  { name: 'a/kernel', shape: [4, 8], role: 'weight', initialiser: { kind: 'uniform', limit: 1 } },
  { name: 'a/bias', shape: [8], role: 'bias', initialiser: { kind: 'constant', value: 0 } }
]

export const bowls: LearningFactory = (scenario, _topology, random): Promise<Learning> => {
  const task = taskOf(scenario, tensors, { shape: [4], classes: 8 }, random)
  const { without } = scenario.data
  const idle = typeof without === 'number' ? without : without.count
  const samples = Array.from({ length: scenario.peers }, (_, peer) => (peer < idle ? 0 : 10))
  const { parameterCount } = task.layout
  const trainer = quadraticTrainer(
    { parameterCount, learningRate: 0.1, samples },
    random.fork('bowls')
  )
  return Promise.resolve({ task, trainer, dispose: () => {} })
}

/** The same bowls, seen through a trainer that a test changes. */
export const bowlsWith =
  (change: (trainer: Trainer) => Trainer): LearningFactory =>
  async (scenario, topology, random) => {
    const learning = await bowls(scenario, topology, random)
    return { ...learning, trainer: change(learning.trainer) }
  }

export interface Seen {
  readonly index: number
  readonly virtualMs: number
  readonly peer: string | null
  readonly source: 'input' | 'event' | 'world'
  readonly what: { readonly kind: string } & Readonly<Record<string, unknown>>
}

/** Run a scenario that a few lines change from a ring of six; what came of it and all it saw. */
export async function live(
  lines: string,
  seed = 1,
  createLearning: LearningFactory = bowls
): Promise<{ result: Result; seen: Seen[] }> {
  const seen: Seen[] = []
  const overrides = lines
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  const text =
    'name: small\nquestion: Does it live?\npeers: 6\ntopology: { kind: ring }\nrounds: 8\nevaluateEveryRounds: 2'
  const result = await runScenario(parseScenario(text, overrides), seed, {
    createLearning,
    version: '0.0.0',
    wallMs: () => 0,
    onEvent: (line) => seen.push(JSON.parse(line) as Seen)
  })
  return { result, seen }
}
