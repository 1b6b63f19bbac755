import { evaluationFeaturesMax, evaluationSamplesMax } from '../../core/limits.ts'
import { selectSamples, type Samples } from '../data/dataset.ts'
import type { Loss } from '../loss.ts'
import { optimize, optimizerMemory } from '../optimizer.ts'
import type { OptimizerSpec, TrainState } from '../training.ts'
import type { BatchPlan, Engine, Evaluation, StepsTaken } from './engine.ts'

/** Training and evaluation for engines that only give gradients and scores. */

export function trainByGradient(
  engine: Pick<Engine, 'layout' | 'gradient'>,
  state: TrainState,
  optimizer: OptimizerSpec,
  { samples, rowsAt, seedAt }: BatchPlan,
  steps: number
): StepsTaken {
  const { layout } = engine
  const parameters = state.parameters.slice()
  const memory = optimizerMemory(optimizer, layout.parameterCount, state.optimizer)
  const gradient = new Float32Array(layout.parameterCount)
  const losses: number[] = []
  let seen = 0
  for (let step = state.steps; step < state.steps + steps; step++) {
    const rows = rowsAt(step)
    const batch = selectSamples(samples, rows)
    const loss = engine.gradient(parameters, batch, gradient, seedAt(step))
    losses.push(loss)
    seen += rows.length
    if (!Number.isFinite(loss)) break
    optimize(optimizer, layout, parameters, gradient, memory, step + 1)
  }
  return { parameters, optimizer: memory, losses, samples: seen }
}

/** @throws STARLING_BAD_DATA when a label is no class */
export function evaluateByLogits(
  engine: Pick<Engine, 'logits'>,
  loss: Loss,
  parameters: Float32Array,
  samples: Samples
): Evaluation {
  let lossSum = 0
  let hits = 0
  for (const part of chunksOf(samples)) {
    const scores = engine.logits(parameters, part)
    lossSum += loss(scores, part.labels) * part.labels.length
    hits += countHits(scores, part.labels)
  }
  return { loss: lossSum / samples.labels.length, accuracy: hits / samples.labels.length }
}

/** Samples in order, so many at a time as are looked at together. */
export function* chunksOf({ features, labels, count }: Samples): Generator<Samples> {
  const size = features.length / count
  const perSample = labels.length / count
  const fitting = Math.floor(evaluationFeaturesMax / size)
  const chunk = Math.max(1, Math.min(evaluationSamplesMax, fitting))
  for (let start = 0; start < count; start += chunk) {
    const end = Math.min(start + chunk, count)
    yield {
      features: features.subarray(start * size, end * size),
      labels: labels.subarray(start * perSample, end * perSample),
      count: end - start
    }
  }
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
