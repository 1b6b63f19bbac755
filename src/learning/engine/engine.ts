import type { Samples } from '../data/dataset.ts'
import type { Layout } from '../layout.ts'
import type { OptimizerSpec, TrainState } from '../training.ts'

/**
 * The one narrow door to numerical code: a model as a function of one flat parameter array.
 * All calls are synchronous and give the same bits for the same input on one machine.
 */
export interface Engine {
  /** Which code computes, such as `plan`, and why it was chosen, in one line for people. */
  readonly backend: string
  readonly reason: string
  readonly layout: Layout

  /**
   * Mean loss over a batch, and its gradient.
   *
   * @param parameters - shape [P]; read, except that running statistics (role `statistic`) are
   *   brought up to date in place, as training a normalising layer does
   * @param batch - any number of samples ≥ 1
   * @param gradient - shape [P], overwritten; zero where a tensor is not trained
   * @param seed - unsigned 32-bit, for layers that draw numbers (dropout)
   * @returns the loss, which may be NaN or infinite: the caller decides
   * @throws STARLING_SHAPE_MISMATCH, STARLING_BAD_DATA when the model is not for these
   */
  gradient(parameters: Float32Array, batch: Samples, gradient: Float32Array, seed: number): number

  /**
   * Take optimizer steps, one after another, up to the first whose loss is not finite.
   * @param state - not written to
   * @throws as `gradient`
   */
  train(state: TrainState, optimizer: OptimizerSpec, batches: BatchPlan, steps: number): StepsTaken

  /** Scores, shape [labels, classes], in inference mode. */
  logits(parameters: Float32Array, samples: Samples): Float32Array

  /** Mean loss and share of right answers, in inference mode, over at least one sample. */
  evaluate(parameters: Float32Array, samples: Samples): Evaluation

  /**
   * What layers give for samples, in inference mode, as matching of units needs it.
   * @param layers - names; the engine's `layout` names tensors `layer/tensor`
   * @throws STARLING_BAD_MODEL for a layer that the model does not have
   */
  activations(
    parameters: Float32Array,
    samples: Samples,
    layers: readonly string[]
  ): Map<string, Activations>

  /** Give the memory back. The engine is not used afterwards. */
  dispose(): void
}

/** Which samples each step sees, and its dice. */
export interface BatchPlan {
  readonly samples: Samples
  /** @param step - counted from 0 over the model's life here */
  readonly rowsAt: (step: number) => readonly number[]
  readonly seedAt: (step: number) => number
}

export interface StepsTaken {
  /** Shape [P]. */
  readonly parameters: Float32Array
  readonly optimizer: Float32Array
  /** Of each step; the last may not be finite, and its step was then not taken. */
  readonly losses: readonly number[]
  /** Samples seen. */
  readonly samples: number
}

export interface Evaluation {
  /** Mean loss. Not finite when the model's scores are not. */
  readonly loss: number
  /** Share of the labels whose class has the highest score; of equal ones, the lowest class. */
  readonly accuracy: number
}

export interface Activations {
  /** Sides of one sample's. */
  readonly shape: readonly number[]
  /** Shape [count, ...shape]. */
  readonly values: Float32Array
}
