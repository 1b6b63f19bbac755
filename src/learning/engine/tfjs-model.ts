import type { Tensor, Variable } from '@tensorflow/tfjs'

/** A model in TensorFlow.js operations: of tfjs' own layers, or a graph of ours. */
export interface TfjsModel {
  /** One for each tensor of the model, in its order. */
  readonly variables: readonly Variable[]
  /** Those that have a slope; the others are running statistics. */
  readonly trained: readonly Variable[]

  /**
   * Scores of a batch, inside of `tf.tidy`. In training, statistics are brought up to date in their
   * variables.
   *
   * @param features - shape [count, ...shape], standardised
   * @param seed - of layers that draw numbers; unsigned 32-bit
   */
  scores(features: Tensor, isTraining: boolean, seed: number): Tensor

  /** Names of layers, with the shape of what each gives for one sample. */
  readonly layers: ReadonlyMap<string, readonly number[]>

  /**
   * What layers give for a batch, in inference mode, inside of `tf.tidy`.
   * @param names - of `layers`
   */
  activations(features: Tensor, names: readonly string[]): Tensor[]

  /** Where features are indices: the number that all of them must be below. */
  readonly indexBound?: number | undefined

  /** Give the memory back. */
  dispose(): void
}
