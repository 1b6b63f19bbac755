import type { Samples } from '../data/dataset.ts'
import type { Layout } from '../layout.ts'

/**
 * The one narrow door to numerical code: a model as a function of one flat parameter array.
 * Optimizers, batches and merging live outside, so an engine is replaced without touching them.
 * All calls are synchronous and give the same bits for the same input on one machine.
 */
export interface Engine {
  /** Which code computes, such as `wasm`, and why it was chosen, in one line for people. */
  readonly backend: string
  readonly reason: string
  readonly layout: Layout

  /**
   * Mean softmax cross-entropy over a batch, and its gradient.
   *
   * @param parameters - shape [P]; read, except that running statistics (role `statistic`) are
   *   brought up to date in place, as training a normalising layer does
   * @param batch - any number of samples ≥ 1
   * @param gradient - shape [P], overwritten; zero where a tensor is not trained
   * @param seed - for layers that draw numbers (dropout)
   * @returns the loss, which may be NaN or infinite: the caller decides
   */
  gradient(parameters: Float32Array, batch: Samples, gradient: Float32Array, seed: number): number

  /** Scores before softmax, shape [count, classes], in inference mode. */
  logits(parameters: Float32Array, samples: Samples): Float32Array

  /** Give the memory back. The engine is not used afterwards. */
  dispose(): void
}
