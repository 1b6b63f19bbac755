import { at64, lanesFor, moments, normalise, normaliseGradient, slopeMoments } from './channels'
import { at } from './simd'

/**
 * Group normalisation (Wu and He, ECCV 2018): channels in groups of n / groups neighbours, and each group
 * of each sample has a mean and a variance of its own. relu after it where `clamps` is 1.
 *
 * @param x - shape [count, places, n]
 * @param saved - shape [count, groups, 2], written: mean and 1 / √(variance + epsilon)
 * @param workspace - 24 bytes for each channel, counted in whole fours
 */
export function groupNorm(
  x: usize,
  count: i32,
  places: i32,
  n: i32,
  groups: i32,
  gamma: usize,
  beta: usize,
  epsilon: f64,
  clamps: i32,
  saved: usize,
  workspace: usize,
  y: usize
): void {
  const sums = workspace
  const squares = at64(sums, lanesFor(n))
  const means = at64(squares, lanesFor(n))
  const scales = at(means, lanesFor(n))
  const size = n / groups
  const share = 1 / (<f64>places * <f64>size)
  for (let b = 0; b < count; b++) {
    const sample = b * places * n
    moments(at(x, sample), places, n, sums, squares)
    for (let group = 0; group < groups; group++) {
      let sum: f64 = 0
      let square: f64 = 0
      for (let j = group * size; j < (group + 1) * size; j++) {
        sum += load<f64>(at64(sums, j))
        square += load<f64>(at64(squares, j))
      }
      const mean = share * sum
      const variance = max<f64>(share * square - mean * mean, 0)
      const own = at(saved, 2 * (b * groups + group))
      store<f32>(own, <f32>mean)
      store<f32>(own, <f32>(1 / sqrt(variance + epsilon)), 4)
    }
    spread(at(saved, 2 * b * groups), n, groups, gamma, means, scales)
    normalise(at(x, sample), places, n, means, scales, beta, clamps, at(y, sample))
  }
}

/** What each channel subtracts and multiplies by, from what its group has. */
function spread(
  saved: usize,
  n: i32,
  groups: i32,
  gamma: usize,
  means: usize,
  scales: usize
): void {
  const size = n / groups
  for (let j = 0; j < n; j++) {
    const own = at(saved, 2 * (j / size))
    store<f32>(at(means, j), load<f32>(own))
    store<f32>(at(scales, j), load<f32>(own, 4) * load<f32>(at(gamma, j)))
  }
}

/**
 * @param workspace - 48 bytes for each channel, counted in whole fours
 * @param dx - 0 to leave it out; the other arguments are those of `groupNorm`
 */
export function groupNormGradient(
  dy: usize,
  x: usize,
  count: i32,
  places: i32,
  n: i32,
  groups: i32,
  gamma: usize,
  beta: usize,
  clamps: i32,
  saved: usize,
  workspace: usize,
  dgamma: usize,
  dbeta: usize,
  dx: usize
): void {
  const lanes = lanesFor(n)
  const sums = workspace
  const products = at64(sums, lanes)
  const gammaSums = at64(products, lanes)
  const betaSums = at64(gammaSums, lanes)
  const means = at64(betaSums, lanes)
  const scales = at(means, lanes)
  const shifts = at(scales, lanes)
  const bends = at(shifts, lanes)
  const size = n / groups
  const share = 1 / (<f64>places * <f64>size)
  memory.fill(gammaSums, 0, (<usize>lanes) << 4)
  for (let b = 0; b < count; b++) {
    const own = at(saved, 2 * b * groups)
    const slopes = at(dy, b * places * n)
    const values = at(x, b * places * n)
    spread(own, n, groups, gamma, means, scales)
    slopeMoments(slopes, values, places, n, means, scales, beta, clamps, sums, products)
    for (let group = 0; group < groups; group++) {
      const inverse = <f64>load<f32>(at(own, 2 * group), 4)
      let sum: f64 = 0
      let product: f64 = 0
      for (let j = group * size; j < (group + 1) * size; j++) {
        const scale = <f64>load<f32>(at(gamma, j))
        const channelSum = load<f64>(at64(sums, j))
        const channelProduct = inverse * load<f64>(at64(products, j))
        addTo(at64(betaSums, j), channelSum)
        addTo(at64(gammaSums, j), channelProduct)
        sum += scale * channelSum
        product += scale * channelProduct
      }
      const shift = <f32>(-share * inverse * sum)
      const bend = <f32>(-share * inverse * inverse * product)
      for (let j = group * size; j < (group + 1) * size; j++) {
        store<f32>(at(shifts, j), shift)
        store<f32>(at(bends, j), bend)
      }
    }
    if (dx == 0) continue
    const to = at(dx, b * places * n)
    normaliseGradient(slopes, values, places, n, means, scales, beta, clamps, shifts, bends, to)
  }
  for (let j = 0; j < n; j++) {
    store<f32>(at(dgamma, j), <f32>load<f64>(at64(gammaSums, j)))
    store<f32>(at(dbeta, j), <f32>load<f64>(at64(betaSums, j)))
  }
}

function addTo(sum: usize, value: f64): void {
  store<f64>(sum, load<f64>(sum) + value)
}
