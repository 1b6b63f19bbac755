import { loadScenario } from '../../sim/files.ts'
import { learner } from '../../sim/learner.ts'
import { runScenario } from '../../sim/run.ts'
import { median } from './median.ts'

const runs = 3

/** Scenarios that need no downloaded data, with what is changed of them. */
const scenarios: Record<string, readonly [name: string, ...overrides: string[]]> = {
  'quiet-ring': ['quiet-ring'],
  'quiet-ring of 100': ['quiet-ring', 'peers=100', 'rounds=10'],
  'vanishing-variance-small': ['vanishing-variance-small']
}

interface SimSpeed {
  /** Rounds of all peers in a second on the wall: training, exchange, merge, measurement. */
  readonly peerRoundsPerSecond: Record<string, number>
}

/** How fast the simulator is with real models on wasm; its data comes from memory after a first run. */
export async function benchSim(): Promise<SimSpeed> {
  const options = {
    createLearning: learner({ backend: 'wasm' }),
    version: 'bench',
    wallMs: () => performance.now()
  }
  const peerRoundsPerSecond: Record<string, number> = {}
  for (const [label, [name, ...overrides]] of Object.entries(scenarios)) {
    const experiment = loadScenario(name, overrides)
    const peerRounds = experiment.arms.reduce(
      (sum, { scenario: { peers, rounds } }) => sum + peers * (rounds ?? 0),
      0
    )
    await runScenario(experiment, 0, options)
    const speeds: number[] = []
    for (let seed = 1; seed <= runs; seed++) {
      const { wallSeconds } = await runScenario(experiment, seed, options)
      speeds.push(peerRounds / wallSeconds)
    }
    peerRoundsPerSecond[label] = median(speeds)
  }
  return { peerRoundsPerSecond }
}
