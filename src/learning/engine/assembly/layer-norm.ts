import { at, load4, lower, store4, upper } from './simd'

/**
 * Layer normalisation (Ba, Kiros and Hinton, arXiv:1607.06450): every row of x, shape [rows, n], has a mean
 * and a variance of its own; y = (x − mean) / √(variance + epsilon) · gamma + beta.
 *
 * @param saved - shape [rows, 2], written: mean and 1 / √(variance + epsilon)
 */
export function layerNorm(
  x: usize,
  rows: i32,
  n: i32,
  gamma: usize,
  beta: usize,
  epsilon: f64,
  saved: usize,
  y: usize
): void {
  const share = 1 / <f64>n
  for (let row = 0; row < rows; row++) {
    const from = at(x, row * n)
    let sums = f64x2.splat(0)
    let squares = f64x2.splat(0)
    for (let j = 0; j < n; j += 4) {
      const four = load4(at(from, j), n - j)
      const low = lower(four)
      const high = upper(four)
      sums = f64x2.add(sums, f64x2.add(low, high))
      squares = f64x2.add(squares, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)))
    }
    const mean = share * both(sums)
    const variance = max<f64>(share * both(squares) - mean * mean, 0)
    const inverse = <f32>(1 / sqrt(variance + epsilon))
    store<f32>(at(saved, 2 * row), <f32>mean)
    store<f32>(at(saved, 2 * row), inverse, 4)
    const centre = f32x4.splat(<f32>mean)
    const factor = f32x4.splat(inverse)
    const to = at(y, row * n)
    for (let j = 0; j < n; j += 4) {
      const left = n - j
      const normal = f32x4.mul(f32x4.sub(load4(at(from, j), left), centre), factor)
      const scaled = f32x4.mul(normal, load4(at(gamma, j), left))
      store4(at(to, j), f32x4.add(scaled, load4(at(beta, j), left)), left)
    }
  }
}

/** @param dx - 0 to leave it out; the other arguments are those of `layerNorm` */
export function layerNormGradient(
  dy: usize,
  x: usize,
  rows: i32,
  n: i32,
  gamma: usize,
  saved: usize,
  dgamma: usize,
  dbeta: usize,
  dx: usize
): void {
  const share = 1 / <f64>n
  memory.fill(dgamma, 0, (<usize>n) << 2)
  memory.fill(dbeta, 0, (<usize>n) << 2)
  for (let row = 0; row < rows; row++) {
    const slopes = at(dy, row * n)
    const values = at(x, row * n)
    const inverse = load<f32>(at(saved, 2 * row), 4)
    const centre = f32x4.splat(load<f32>(at(saved, 2 * row)))
    const factor = f32x4.splat(inverse)
    let sums = f64x2.splat(0)
    let products = f64x2.splat(0)
    for (let j = 0; j < n; j += 4) {
      const left = n - j
      const slope = load4(at(slopes, j), left)
      const normal = f32x4.mul(f32x4.sub(load4(at(values, j), left), centre), factor)
      const turn = f32x4.mul(slope, normal)
      store4(at(dgamma, j), f32x4.add(load4(at(dgamma, j), left), turn), left)
      store4(at(dbeta, j), f32x4.add(load4(at(dbeta, j), left), slope), left)
      const scale = load4(at(gamma, j), left)
      const scaled = f32x4.mul(slope, scale)
      const scaledTurn = f32x4.mul(turn, scale)
      sums = f64x2.add(sums, f64x2.add(lower(scaled), upper(scaled)))
      products = f64x2.add(products, f64x2.add(lower(scaledTurn), upper(scaledTurn)))
    }
    if (dx == 0) continue
    const shift = f32x4.splat(<f32>(share * both(sums)))
    const bend = f32x4.splat(<f32>(share * both(products)))
    const to = at(dx, row * n)
    for (let j = 0; j < n; j += 4) {
      const left = n - j
      const normal = f32x4.mul(f32x4.sub(load4(at(values, j), left), centre), factor)
      const scaled = f32x4.mul(load4(at(slopes, j), left), load4(at(gamma, j), left))
      const rest = f32x4.sub(f32x4.sub(scaled, shift), f32x4.mul(normal, bend))
      store4(at(to, j), f32x4.mul(factor, rest), left)
    }
  }
}

function both(sums: v128): f64 {
  return f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1)
}
