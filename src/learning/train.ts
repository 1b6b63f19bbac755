import { StarlingError } from '../core/errors.ts'
import type { Random } from '../core/random.ts'
import { Batches } from './batches.ts'
import type { Samples } from './data/dataset.ts'
import type { BatchPlan, Engine, Evaluation } from './engine/engine.ts'
import { staysFinite } from './layout.ts'
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
  const batches = new Batches(samples, training.batchSize, random)
  const plan: BatchPlan = {
    samples,
    rowsAt: (step) => batches.rowsAt(step),
    seedAt: (step) => random.fork(`step-${step}`).seed()
  }
  const taken = engine.train(state, training.optimizer, plan, steps)
  const { parameters, optimizer, losses, samples: seen } = taken
  const finite = losses.filter(Number.isFinite)
  const isWhole = finite.length === steps
  if (isWhole && staysFinite(parameters) && staysFinite(optimizer)) {
    const loss = losses.reduce((sum, loss) => sum + loss, 0) / steps
    const after = { parameters, optimizer, steps: state.steps + steps }
    return { ...after, loss, samples: seen, rolledBack: false }
  }
  return {
    ...state,
    steps: state.steps + losses.length,
    loss: finite.at(-1) ?? 0,
    samples: seen,
    rolledBack: true
  }
}

/**
 * How well a model does on samples that are only looked at.
 * @throws STARLING_BAD_DATA when there are none, or a label is no class
 */
export function evaluate(engine: Engine, parameters: Float32Array, samples: Samples): Evaluation {
  requireSamples(samples)
  return engine.evaluate(parameters, samples)
}

function requireSamples(samples: Samples): void {
  if (samples.count === 0) {
    throw new StarlingError('STARLING_BAD_DATA', 'there are no samples: give this peer data')
  }
}
