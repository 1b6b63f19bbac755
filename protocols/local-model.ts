import type { TrainResult, TrainState } from '../src/learning/training.ts'
import { staysFinite } from '../src/learning/layout.ts'
import type { Checkpoint } from './participant-io.ts'
import type { Progress } from './messages.ts'

/**
 * The model of one participant through its life. Arrays are replaced, never written to: they may
 * be on their way to a peer.
 */
export class LocalModel implements Progress {
  /** Rounds finished. */
  round = 0
  /** Samples that the model has seen, its own and, through catching up, others'. */
  age = 0
  /** Samples in the local shard; 0 before the data is loaded, and for a peer that only mixes. */
  samples = 0
  /** All rounds that were asked for are done. */
  finished = false
  /** Mean loss of the last training. */
  loss: number | null = null
  #state: TrainState

  constructor(state: TrainState) {
    this.#state = state
  }

  static restore({ state, round, age }: Checkpoint): LocalModel {
    const model = new LocalModel(state)
    model.round = round
    model.age = age
    return model
  }

  get state(): TrainState {
    return this.#state
  }

  get parameters(): Float32Array {
    return this.#state.parameters
  }

  get progress(): Progress {
    return { round: this.round, age: this.age, samples: this.samples }
  }

  merged(parameters: Float32Array): void {
    this.#state = { ...this.#state, parameters }
  }

  /**
   * Take in what training made of `base`. Models merged meanwhile are kept: training's step is
   * applied to the model as it is now, as in asynchronous decentralized SGD (Lian et al.,
   * arXiv 1710.06952), so that neither merging nor training is lost.
   */
  trained(base: TrainState, result: TrainResult): void {
    const { optimizer, steps } = result
    const untouched = this.#state.parameters === base.parameters
    const moved = untouched
      ? result.parameters
      : shifted(this.#state.parameters, base.parameters, result.parameters)
    // Two finite models can have an infinite difference; then what was merged stays as it is.
    const parameters = staysFinite(moved) ? moved : this.#state.parameters
    this.#state = { parameters, optimizer, steps }
    this.age += result.rolledBack ? 0 : result.samples
    this.loss = result.loss
  }
}

/** current + (to − from), element by element. */
function shifted(current: Float32Array, from: Float32Array, to: Float32Array): Float32Array {
  const sum = new Float32Array(current.length)
  for (let i = 0; i < sum.length; i++) {
    sum[i] = (current[i] as number) + ((to[i] as number) - (from[i] as number))
  }
  return sum
}
