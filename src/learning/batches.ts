import type { Random } from '../core/random.ts'
import type { Samples } from './data/dataset.ts'

/**
 * Which samples a step sees. An epoch goes through the samples in a shuffled order, in whole batches;
 * the few left over at its end have their chance in the next. A set smaller than a batch is the batch.
 *
 * The batch of a step follows from the dice's path, the step, the number of samples and the batch
 * size alone, so training that stops and goes on sees what it would have seen.
 */
export class Batches {
  readonly #samples: Samples
  readonly #random: Random
  readonly #batchSize: number
  readonly #batchesPerEpoch: number
  #epoch = -1
  #order: readonly number[] = []

  constructor(samples: Samples, batchSize: number, random: Random) {
    this.#samples = samples
    this.#random = random
    this.#batchSize = Math.min(batchSize, samples.count)
    this.#batchesPerEpoch = Math.floor(samples.count / this.#batchSize)
  }

  /** @param step - counted from 0 */
  rowsAt(step: number): readonly number[] {
    const { count } = this.#samples
    const epoch = Math.floor(step / this.#batchesPerEpoch)
    if (epoch !== this.#epoch) {
      this.#epoch = epoch
      this.#order = this.#random.fork(`epoch-${epoch}`).shuffle([...Array(count).keys()])
    }
    const start = (step % this.#batchesPerEpoch) * this.#batchSize
    return this.#order.slice(start, start + this.#batchSize)
  }
}
