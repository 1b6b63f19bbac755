import { StarlingError } from '../core/errors.ts'
import type { LossKind } from './training.ts'

/**
 * A loss of scores against labels, the mean over all rows, in double precision.
 *
 * @param scores - shape [rows, classes]
 * @param labels - shape [rows]
 * @param slope - shape [rows, classes]; if given, overwritten with d loss / d scores
 * @returns not finite when a score is not
 * @throws STARLING_BAD_DATA for a label that is no class
 */
export type Loss = (scores: Float32Array, labels: Uint16Array, slope?: Float32Array) => number

/** What training can make small, by name. */
export const losses: Record<LossKind, Loss> = {
  'softmax-cross-entropy': softmaxCrossEntropy,
  'sigmoid-cross-entropy': sigmoidCrossEntropy,
  'mean-squared-error': meanSquaredError
}

/** loss = mean over rows of  log Σₖ exp(scoreₖ) − score_label */
function softmaxCrossEntropy(
  scores: Float32Array,
  labels: Uint16Array,
  slope?: Float32Array
): number {
  const rows = labels.length
  const classes = classesOf(scores, labels)
  let sum = 0
  for (let row = 0; row < rows; row++) {
    const start = row * classes
    const place = start + (labels[row] as number)
    let highest = -Infinity
    for (let k = start; k < start + classes; k++) highest = Math.max(highest, scores[k] as number)
    let total = 0
    for (let k = start; k < start + classes; k++) total += Math.exp((scores[k] as number) - highest)
    sum += highest + Math.log(total) - (scores[place] as number)
    if (slope === undefined) continue
    for (let k = start; k < start + classes; k++) {
      slope[k] = Math.exp((scores[k] as number) - highest) / (total * rows)
    }
    slope[place] = (slope[place] as number) - 1 / rows
  }
  return sum / rows
}

/**
 * loss = mean over rows of  Σₖ −tₖ ln σ(scoreₖ) − (1 − tₖ) ln (1 − σ(scoreₖ)), where t is 1 at the label
 * and 0 elsewhere; as max(s, 0) − s·t + ln(1 + e^−|s|), in which nothing overflows.
 */
function sigmoidCrossEntropy(
  scores: Float32Array,
  labels: Uint16Array,
  slope?: Float32Array
): number {
  const rows = labels.length
  const classes = classesOf(scores, labels)
  let sum = 0
  for (let row = 0; row < rows; row++) {
    const label = labels[row] as number
    for (let k = 0; k < classes; k++) {
      const place = row * classes + k
      const score = scores[place] as number
      const target = k === label ? 1 : 0
      sum += Math.max(score, 0) - score * target + Math.log1p(Math.exp(-Math.abs(score)))
      if (slope) slope[place] = (1 / (1 + Math.exp(-score)) - target) / rows
    }
  }
  return sum / rows
}

/** loss = mean over rows and classes of  (score − t)², where t is 1 at the label and 0 elsewhere. */
function meanSquaredError(scores: Float32Array, labels: Uint16Array, slope?: Float32Array): number {
  const classes = classesOf(scores, labels)
  const count = scores.length
  let sum = 0
  for (let place = 0; place < count; place++) {
    const label = labels[Math.floor(place / classes)] as number
    const difference = (scores[place] as number) - (place % classes === label ? 1 : 0)
    sum += difference * difference
    if (slope) slope[place] = (2 * difference) / count
  }
  return sum / count
}

function classesOf(scores: Float32Array, labels: Uint16Array): number {
  const classes = scores.length / labels.length
  for (const [row, label] of labels.entries()) {
    if (label < classes) continue
    throw new StarlingError(
      'STARLING_BAD_DATA',
      `sample ${row} has the label ${label}, but there are ${classes} classes, counted from 0`
    )
  }
  return classes
}
