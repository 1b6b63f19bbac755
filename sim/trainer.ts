import type { Evaluation } from '../protocols/participant-io.ts'
import type { TrainResult, TrainState } from '../src/learning/training.ts'

/**
 * The world's one door to learning. Synchronous and deterministic: a simulated body runs it inline
 * and delivers the result after a modelled duration.
 */
export interface Trainer {
  /** Samples in a peer's shard; 0 for one that only mixes. */
  samplesOf(peer: number): number
  /** Optimizer steps on a peer's own data. */
  train(peer: number, state: TrainState, steps: number): TrainResult
  /** Measure on the common test set. */
  evaluate(parameters: Float32Array): Evaluation
}
