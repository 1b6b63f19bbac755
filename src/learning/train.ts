import { StarlingError } from '../core/errors.ts'
import { evaluationFeaturesMax, evaluationSamplesMax } from '../core/limits.ts'
import type { Random } from '../core/random.ts'
import { Batches } from './batches.ts'
import type { Samples } from './data/dataset.ts'
import type { Engine } from './engine/engine.ts'
import { staysFinite } from './layout.ts'
import { crossEntropy } from './loss.ts'
import { optimize, optimizerMemory } from './optimizer.ts'
import type { TrainingSpec, TrainResult, TrainState } from './training.ts'

/**
 * Train for some steps: a function of its arguments alone. Training in two calls, the second from
 * what the first returned, gives the bits of training in one.
 *
 * When the loss or the parameters stop being finite, what these steps changed is thrown away and only
 * `steps` moves on, past the batch that showed it, so that the next call does not meet it again. The
 * loss is then the last finite one, or 0 when there was none.
 *
 * @param state - parameters of shape [P]; not written to
 * @param steps - at least 1
 * @param random - of this peer and task; the same for every call of one training
 * @throws STARLING_BAD_DATA when there are no samples, or a label is no class
 * @throws STARLING_SHAPE_MISMATCH when the state is of another model or optimizer
 */
export function train(
  engine: Engine,
  samples: Samples,
  training: TrainingSpec,
  state: TrainState,
  steps: number,
  random: Random
): TrainResult {
  requireSamples(samples)
  const { parameterCount } = engine.layout
  const parameters = state.parameters.slice()
  const optimizer = optimizerMemory(training.optimizer, parameterCount, state.optimizer)
  const gradient = new Float32Array(parameterCount)
  const batches = new Batches(samples, training.batchSize, random)
  let lossSum = 0
  let lossLast = 0
  let seen = 0

  const rolledBack = (step: number): TrainResult => ({
    parameters: state.parameters,
    optimizer: state.optimizer,
    steps: step + 1,
    loss: lossLast,
    samples: seen,
    rolledBack: true
  })

  const end = state.steps + steps
  for (let step = state.steps; step < end; step++) {
    const batch = batches.at(step)
    const seed = random.fork(`step-${step}`).seed()
    const loss = engine.gradient(parameters, batch, gradient, seed)
    seen += batch.count
    if (!Number.isFinite(loss)) return rolledBack(step)
    lossSum += loss
    lossLast = loss
    optimize(training.optimizer, parameters, gradient, optimizer, step + 1)
  }
  if (!staysFinite(parameters) || !staysFinite(optimizer)) return rolledBack(end - 1)
  return {
    parameters,
    optimizer,
    steps: end,
    loss: lossSum / steps,
    samples: seen,
    rolledBack: false
  }
}

export interface Evaluation {
  /** Mean softmax cross-entropy. Not finite when the model's scores are not. */
  readonly loss: number
  /** Share of the samples whose class has the highest score; of equal ones, the lowest class. */
  readonly accuracy: number
}

/**
 * How well a model does on samples that are only looked at.
 * @throws STARLING_BAD_DATA when there are none, or a label is no class
 */
export function evaluate(engine: Engine, parameters: Float32Array, samples: Samples): Evaluation {
  requireSamples(samples)
  const size = samples.features.length / samples.count
  const chunk = Math.max(
    1,
    Math.min(evaluationSamplesMax, Math.floor(evaluationFeaturesMax / size))
  )
  let lossSum = 0
  let hits = 0
  for (let start = 0; start < samples.count; start += chunk) {
    const end = Math.min(start + chunk, samples.count)
    const part: Samples = {
      features: samples.features.subarray(start * size, end * size),
      labels: samples.labels.subarray(start, end),
      count: end - start
    }
    const scores = engine.logits(parameters, part)
    lossSum += crossEntropy(scores, part.labels) * part.count
    hits += countHits(scores, part.labels)
  }
  return { loss: lossSum / samples.count, accuracy: hits / samples.count }
}

function countHits(scores: Float32Array, labels: Uint16Array): number {
  const classes = scores.length / labels.length
  let hits = 0
  for (const [row, label] of labels.entries()) {
    let best = 0
    for (let k = 1; k < classes; k++) {
      if ((scores[row * classes + k] as number) > (scores[row * classes + best] as number)) best = k
    }
    if (best === label) hits++
  }
  return hits
}

function requireSamples(samples: Samples): void {
  if (samples.count === 0) {
    throw new StarlingError('STARLING_BAD_DATA', 'there are no samples: give this peer data')
  }
}
