import { at, load4, store4 } from './simd'

/**
 * One step of an optimizer, in place, over n parameters x with slopes g. Formulas and sources are
 * those of src/learning/optimizer.ts, which says the same in double precision.
 *
 * @param decay - weight decay: added to the slope as decay · x, or, where it is decoupled, to the step
 */
export function sgd(x: usize, g: usize, n: i32, rate: f32, decay: f32): void {
  const rates = f32x4.splat(rate)
  const decays = f32x4.splat(decay)
  const whole = n & ~3
  for (let i = 0; i < whole; i += 4) {
    const value = v128.load(at(x, i))
    const slope = f32x4.add(v128.load(at(g, i)), f32x4.mul(decays, value))
    v128.store(at(x, i), f32x4.sub(value, f32x4.mul(rates, slope)))
  }
  if (whole == n) return
  const left = n - whole
  const value = load4(at(x, whole), left)
  const slope = f32x4.add(load4(at(g, whole), left), f32x4.mul(decays, value))
  store4(at(x, whole), f32x4.sub(value, f32x4.mul(rates, slope)), left)
}

/** @param nesterov - 1 to look ahead, else 0 */
export function momentum(
  x: usize,
  g: usize,
  velocity: usize,
  n: i32,
  rate: f32,
  decay: f32,
  mu: f32,
  nesterov: i32
): void {
  const rates = f32x4.splat(rate)
  const decays = f32x4.splat(decay)
  const keeps = f32x4.splat(mu)
  for (let i = 0; i < n; i += 4) {
    const left = n - i
    const value = load4(at(x, i), left)
    const slope = f32x4.add(load4(at(g, i), left), f32x4.mul(decays, value))
    const speed = f32x4.add(f32x4.mul(keeps, load4(at(velocity, i), left)), slope)
    store4(at(velocity, i), speed, left)
    const step = nesterov != 0 ? f32x4.add(slope, f32x4.mul(keeps, speed)) : speed
    store4(at(x, i), f32x4.sub(value, f32x4.mul(rates, step)), left)
  }
}

/**
 * @param meanScale - 1 / (1 − β₁ᵗ)
 * @param squareScale - 1 / (1 − β₂ᵗ)
 * @param decoupled - 1 for AdamW, else 0
 */
export function adam(
  x: usize,
  g: usize,
  mean: usize,
  square: usize,
  n: i32,
  rate: f32,
  decay: f32,
  beta1: f64,
  beta2: f64,
  epsilon: f32,
  meanScale: f32,
  squareScale: f32,
  decoupled: i32
): void {
  const keep1 = f32x4.splat(<f32>beta1)
  const keep2 = f32x4.splat(<f32>beta2)
  // In float32, 1 − 0.999 would be wrong in the fifth digit.
  const take1 = f32x4.splat(<f32>(1 - beta1))
  const take2 = f32x4.splat(<f32>(1 - beta2))
  const rates = f32x4.splat(rate)
  const coupledDecay = f32x4.splat(decoupled != 0 ? 0 : decay)
  const ownDecay = f32x4.splat(decoupled != 0 ? decay : 0)
  for (let i = 0; i < n; i += 4) {
    const left = n - i
    const value = load4(at(x, i), left)
    const slope = f32x4.add(load4(at(g, i), left), f32x4.mul(coupledDecay, value))
    const m = f32x4.add(f32x4.mul(keep1, load4(at(mean, i), left)), f32x4.mul(take1, slope))
    const v = f32x4.add(
      f32x4.mul(keep2, load4(at(square, i), left)),
      f32x4.mul(take2, f32x4.mul(slope, slope))
    )
    store4(at(mean, i), m, left)
    store4(at(square, i), v, left)
    const size = f32x4.add(f32x4.sqrt(f32x4.mul(v, f32x4.splat(squareScale))), f32x4.splat(epsilon))
    const direction = f32x4.div(f32x4.mul(m, f32x4.splat(meanScale)), size)
    const step = f32x4.add(direction, f32x4.mul(ownDecay, value))
    store4(at(x, i), f32x4.sub(value, f32x4.mul(rates, step)), left)
  }
}

export function lion(
  x: usize,
  g: usize,
  mean: usize,
  n: i32,
  rate: f32,
  decay: f32,
  beta1: f64,
  beta2: f64
): void {
  const zero = f32x4.splat(0)
  const one = f32x4.splat(1)
  const keep1 = f32x4.splat(<f32>beta1)
  const keep2 = f32x4.splat(<f32>beta2)
  // In float32, 1 − 0.999 would be wrong in the fifth digit.
  const take1 = f32x4.splat(<f32>(1 - beta1))
  const take2 = f32x4.splat(<f32>(1 - beta2))
  for (let i = 0; i < n; i += 4) {
    const left = n - i
    const value = load4(at(x, i), left)
    const slope = load4(at(g, i), left)
    const m = load4(at(mean, i), left)
    const blend = f32x4.add(f32x4.mul(keep1, m), f32x4.mul(take1, slope))
    const sign = f32x4.sub(
      v128.and(f32x4.gt(blend, zero), one),
      v128.and(f32x4.lt(blend, zero), one)
    )
    const step = f32x4.add(sign, f32x4.mul(f32x4.splat(decay), value))
    store4(at(x, i), f32x4.sub(value, f32x4.mul(f32x4.splat(rate), step)), left)
    store4(at(mean, i), f32x4.add(f32x4.mul(keep2, m), f32x4.mul(take2, slope)), left)
  }
}

/** The sum of squares, in double precision and in order of place within four lanes. */
export function squaredNorm(x: usize, n: i32): f64 {
  let low = f64x2.splat(0)
  let high = low
  for (let i = 0; i < n; i += 4) {
    const four = load4(at(x, i), n - i)
    const a = f64x2.promote_low_f32x4(four)
    const b = f64x2.promote_low_f32x4(v128.shuffle<f32>(four, four, 2, 3, 0, 1))
    low = f64x2.add(low, f64x2.mul(a, a))
    high = f64x2.add(high, f64x2.mul(b, b))
  }
  const sum = f64x2.add(low, high)
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)
}
