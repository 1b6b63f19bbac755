import { exp4, exp1, log1, sigmoid4 } from './math'
import { at, load4, store4 } from './simd'

/**
 * Losses of scores against labels: the mean over all rows, in double precision. A label is a class; for
 * the losses that compare with targets, the target is 1 at the label and 0 elsewhere.
 *
 * @param scores - shape [rows, classes]
 * @param labels - unsigned 16-bit, shape [rows], each below `classes`
 * @param slopes - shape [rows, classes]: d loss / d scores; 0 to leave out
 */
export function softmaxCrossEntropy(
  scores: usize,
  labels: usize,
  rows: i32,
  classes: i32,
  slopes: usize
): f64 {
  let sum: f64 = 0
  const share: f64 = 1 / <f64>rows
  for (let row = 0; row < rows; row++) {
    const from = at(scores, row * classes)
    const label = <i32>load<u16>(labels + ((<usize>row) << 1))
    let highest = load<f32>(from)
    for (let k = 1; k < classes; k++) highest = max(highest, load<f32>(at(from, k)))
    const peak = f32x4.splat(highest)
    let total: f64 = 0
    if (slopes == 0) {
      for (let k = 0; k < classes; k++) total += <f64>exp1(load<f32>(at(from, k)) - highest)
    } else {
      const to = at(slopes, row * classes)
      for (let k = 0; k < classes; k += 4) {
        const left = classes - k
        store4(at(to, k), exp4(f32x4.sub(load4(at(from, k), left), peak)), left)
      }
      for (let k = 0; k < classes; k++) total += <f64>load<f32>(at(to, k))
      const factor = f32x4.splat(<f32>(share / total))
      for (let k = 0; k < classes; k += 4) {
        const left = classes - k
        store4(at(to, k), f32x4.mul(load4(at(to, k), left), factor), left)
      }
      store<f32>(at(to, label), load<f32>(at(to, label)) - <f32>share)
    }
    sum += <f64>highest + log1(total) - <f64>load<f32>(at(from, label))
  }
  return sum * share
}

/** Mean over rows of the sum over classes of −t ln σ(s) − (1 − t) ln (1 − σ(s)). */
export function sigmoidCrossEntropy(
  scores: usize,
  labels: usize,
  rows: i32,
  classes: i32,
  slopes: usize
): f64 {
  let sum: f64 = 0
  const share: f32 = 1 / <f32>rows
  for (let row = 0; row < rows; row++) {
    const from = at(scores, row * classes)
    const label = <i32>load<u16>(labels + ((<usize>row) << 1))
    for (let k = 0; k < classes; k++) {
      const score = <f64>load<f32>(at(from, k))
      const target: f64 = k == label ? 1 : 0
      // max(s, 0) − s·t + ln(1 + e^−|s|): nothing overflows
      sum += max<f64>(score, 0) - score * target + log1(1 + <f64>exp1(<f32>-abs(score)))
    }
    if (slopes == 0) continue
    const to = at(slopes, row * classes)
    for (let k = 0; k < classes; k += 4) {
      const left = classes - k
      const slope = f32x4.mul(sigmoid4(load4(at(from, k), left)), f32x4.splat(share))
      store4(at(to, k), slope, left)
    }
    store<f32>(at(to, label), load<f32>(at(to, label)) - share)
  }
  return sum / <f64>rows
}

/** Mean over rows and classes of (score − target)². */
export function meanSquaredError(
  scores: usize,
  labels: usize,
  rows: i32,
  classes: i32,
  slopes: usize
): f64 {
  let sum: f64 = 0
  const count = <f64>rows * <f64>classes
  const factor = <f32>(2 / count)
  for (let row = 0; row < rows; row++) {
    const label = <i32>load<u16>(labels + ((<usize>row) << 1))
    for (let k = 0; k < classes; k++) {
      const place = row * classes + k
      const difference = load<f32>(at(scores, place)) - (k == label ? <f32>1 : <f32>0)
      sum += <f64>difference * <f64>difference
      if (slopes != 0) store<f32>(at(slopes, place), factor * difference)
    }
  }
  return sum / count
}

/** Rows whose label has the highest score; of equal ones the lowest class counts. */
export function hits(scores: usize, labels: usize, rows: i32, classes: i32): i32 {
  let found = 0
  for (let row = 0; row < rows; row++) {
    const from = at(scores, row * classes)
    let best = 0
    for (let k = 1; k < classes; k++) {
      if (load<f32>(at(from, k)) > load<f32>(at(from, best))) best = k
    }
    if (best == <i32>load<u16>(labels + ((<usize>row) << 1))) found++
  }
  return found
}
