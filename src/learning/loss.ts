import { StarlingError } from '../core/errors.ts'

/**
 * Mean softmax cross-entropy of scores, in double precision:
 *
 *     loss = mean over rows of  log Σₖ exp(scoreₖ) − score_label
 *
 * @param scores - before softmax, shape [count, classes]
 * @param labels - shape [count]
 * @param gradient - shape [count, classes]; if given, overwritten with d loss / d scores
 * @returns not finite when a score is not
 * @throws STARLING_BAD_DATA for a label that is no class
 */
export function crossEntropy(
  scores: Float32Array,
  labels: Uint16Array,
  gradient?: Float32Array
): number {
  const count = labels.length
  const classes = scores.length / count
  let sum = 0
  for (let row = 0; row < count; row++) {
    const start = row * classes
    const label = labels[row] as number
    if (label >= classes) {
      throw new StarlingError(
        'STARLING_BAD_DATA',
        `sample ${row} has the label ${label}, but there are ${classes} classes, counted from 0`
      )
    }
    let highest = -Infinity
    for (let k = start; k < start + classes; k++) highest = Math.max(highest, scores[k] as number)
    let total = 0
    for (let k = start; k < start + classes; k++) total += Math.exp((scores[k] as number) - highest)
    sum += highest + Math.log(total) - (scores[start + label] as number)
    if (gradient === undefined) continue
    for (let k = start; k < start + classes; k++) {
      gradient[k] = Math.exp((scores[k] as number) - highest) / (total * count)
    }
    gradient[start + label] = (gradient[start + label] as number) - 1 / count
  }
  return sum / count
}
