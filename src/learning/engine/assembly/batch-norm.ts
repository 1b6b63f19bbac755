import { at64, lanesFor, moments, normalise, normaliseGradient, slopeMoments } from './channels'
import { at } from './simd'

/**
 * Batch normalisation (Ioffe and Szegedy, ICML 2015) of x of shape [rows, n], with the mean and the
 * variance (Σ (x − mean)² / rows) of the batch, and relu after it where `clamps` is 1.
 *
 * @param movingMean - shape [n], brought up to date as movingVariance is: m · moving + (1 − m) · batch
 * @param saved - shape [2, n], written: means and 1 / √(variance + epsilon), for the way back
 * @param workspace - 28 bytes for each channel, counted in whole fours
 */
export function batchNorm(
  x: usize,
  rows: i32,
  n: i32,
  gamma: usize,
  beta: usize,
  movingMean: usize,
  movingVariance: usize,
  momentum: f64,
  epsilon: f64,
  clamps: i32,
  saved: usize,
  workspace: usize,
  y: usize
): void {
  const sums = workspace
  const squares = at64(sums, lanesFor(n))
  const scales = at64(squares, lanesFor(n))
  const inverses = at(saved, n)
  const share = 1 / <f64>rows
  moments(x, rows, n, sums, squares)
  for (let j = 0; j < n; j++) {
    const mean = share * load<f64>(at64(sums, j))
    const variance = max<f64>(share * load<f64>(at64(squares, j)) - mean * mean, 0)
    const inverse = <f32>(1 / sqrt(variance + epsilon))
    store<f32>(at(saved, j), <f32>mean)
    store<f32>(at(inverses, j), inverse)
    store<f32>(at(scales, j), inverse * load<f32>(at(gamma, j)))
    move(at(movingMean, j), mean, momentum)
    move(at(movingVariance, j), variance, momentum)
  }
  normalise(x, rows, n, saved, scales, beta, clamps, y)
}

function move(statistic: usize, value: f64, momentum: f64): void {
  const before = <f64>load<f32>(statistic)
  store<f32>(statistic, <f32>(before - (1 - momentum) * (before - value)))
}

/** The same with the moving statistics, as a model in use has it; 4 bytes of workspace for each channel. */
export function batchNormUse(
  x: usize,
  rows: i32,
  n: i32,
  gamma: usize,
  beta: usize,
  movingMean: usize,
  movingVariance: usize,
  epsilon: f64,
  clamps: i32,
  workspace: usize,
  y: usize
): void {
  for (let j = 0; j < n; j++) {
    const inverse = <f32>(1 / sqrt(<f64>load<f32>(at(movingVariance, j)) + epsilon))
    store<f32>(at(workspace, j), inverse * load<f32>(at(gamma, j)))
  }
  normalise(x, rows, n, movingMean, workspace, beta, clamps, y)
}

/** @param dx - 0 to leave it out; the other arguments are those of `batchNorm` */
export function batchNormGradient(
  dy: usize,
  x: usize,
  rows: i32,
  n: i32,
  gamma: usize,
  beta: usize,
  clamps: i32,
  saved: usize,
  workspace: usize,
  dgamma: usize,
  dbeta: usize,
  dx: usize
): void {
  const sums = workspace
  const products = at64(sums, lanesFor(n))
  const scales = at64(products, lanesFor(n))
  const shifts = at(scales, lanesFor(n))
  const bends = at(shifts, lanesFor(n))
  const inverses = at(saved, n)
  const share = 1 / <f64>rows
  for (let j = 0; j < n; j++) {
    store<f32>(at(scales, j), load<f32>(at(inverses, j)) * load<f32>(at(gamma, j)))
  }
  slopeMoments(dy, x, rows, n, saved, scales, beta, clamps, sums, products)
  for (let j = 0; j < n; j++) {
    const inverse = <f64>load<f32>(at(inverses, j))
    const factor = share * <f64>load<f32>(at(scales, j))
    const sum = load<f64>(at64(sums, j))
    const product = inverse * load<f64>(at64(products, j))
    store<f32>(at(dbeta, j), <f32>sum)
    store<f32>(at(dgamma, j), <f32>product)
    store<f32>(at(shifts, j), <f32>(-factor * sum))
    store<f32>(at(bends, j), <f32>(-factor * inverse * product))
  }
  if (dx == 0) return
  normaliseGradient(dy, x, rows, n, saved, scales, beta, clamps, shifts, bends, dx)
}
