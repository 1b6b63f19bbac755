import { at, load4, store4 } from './simd'
import { exp4, sigmoid4, tanh4 } from './math'

// Where little is computed, whole fours have a loop of their own: asked at every turn whether four are
// left, it takes more than twice as long.

/** y = x, n floats. */
export function copy(x: usize, n: i32, y: usize): void {
  memory.copy(y, x, (<usize>n) << 2)
}

export function fill(y: usize, n: i32, value: f32): void {
  const four = f32x4.splat(value)
  for (let i = 0; i < n; i += 4) store4(at(y, i), four, n - i)
}

/** y = a + b; y may be a or b. */
export function add(a: usize, b: usize, n: i32, y: usize): void {
  const whole = n & ~3
  for (let i = 0; i < whole; i += 4) {
    v128.store(at(y, i), f32x4.add(v128.load(at(a, i)), v128.load(at(b, i))))
  }
  if (whole == n) return
  const left = n - whole
  store4(at(y, whole), f32x4.add(load4(at(a, whole), left), load4(at(b, whole), left)), left)
}

/** y = relu(a + b), as a residual block ends. */
export function addRelu(a: usize, b: usize, n: i32, y: usize): void {
  const zero = f32x4.splat(0)
  const whole = n & ~3
  for (let i = 0; i < whole; i += 4) {
    const sum = f32x4.add(v128.load(at(a, i)), v128.load(at(b, i)))
    v128.store(at(y, i), f32x4.max(sum, zero))
  }
  if (whole == n) return
  const left = n - whole
  const sum = f32x4.add(load4(at(a, whole), left), load4(at(b, whole), left))
  store4(at(y, whole), f32x4.max(sum, zero), left)
}

/** y = factor · x; y may be x. */
export function scale(x: usize, n: i32, factor: f32, y: usize): void {
  const factors = f32x4.splat(factor)
  const whole = n & ~3
  for (let i = 0; i < whole; i += 4) {
    v128.store(at(y, i), f32x4.mul(v128.load(at(x, i)), factors))
  }
  if (whole == n) return
  store4(at(y, whole), f32x4.mul(load4(at(x, whole), n - whole), factors), n - whole)
}

/**
 * y = (x − mean) · factor, as models look at features.
 * @returns 1 when every x is finite, else 0
 */
export function standardise(x: usize, n: i32, mean: f32, factor: f32, y: usize): i32 {
  const means = f32x4.splat(mean)
  const factors = f32x4.splat(factor)
  const zero = f32x4.splat(0)
  let sum = zero
  const whole = n & ~3
  for (let i = 0; i < whole; i += 4) {
    const four = v128.load(at(x, i))
    sum = f32x4.add(sum, f32x4.mul(four, zero)) // an infinity times zero is a NaN
    v128.store(at(y, i), f32x4.mul(f32x4.sub(four, means), factors))
  }
  if (whole < n) {
    const some = load4(at(x, whole), n - whole)
    sum = f32x4.add(sum, f32x4.mul(some, zero))
    store4(at(y, whole), f32x4.mul(f32x4.sub(some, means), factors), n - whole)
  }
  return v128.any_true(f32x4.ne(sum, zero)) ? 0 : 1
}

/** y[j] = sum of x[i, j] over the rows; x of shape [rows, n]. */
export function columnSums(x: usize, rows: i32, n: i32, y: usize): void {
  let j = 0
  for (; j + 16 <= n; j += 16) {
    let a = f32x4.splat(0)
    let b = a
    let c = a
    let d = a
    let from = at(x, j)
    for (let i = 0; i < rows; i++) {
      a = f32x4.add(a, v128.load(from))
      b = f32x4.add(b, v128.load(from, 16))
      c = f32x4.add(c, v128.load(from, 32))
      d = f32x4.add(d, v128.load(from, 48))
      from += (<usize>n) << 2
    }
    v128.store(at(y, j), a)
    v128.store(at(y, j), b, 16)
    v128.store(at(y, j), c, 32)
    v128.store(at(y, j), d, 48)
  }
  for (; j < n; j += 4) {
    let a = f32x4.splat(0)
    for (let i = 0; i < rows; i++) a = f32x4.add(a, load4(at(x, i * n + j), n - j))
    store4(at(y, j), a, n - j)
  }
}

/** x[i, j] += bias[j]; x of shape [rows, n]. */
export function addBias(x: usize, rows: i32, n: i32, bias: usize): void {
  for (let i = 0; i < rows; i++) add(at(x, i * n), bias, n, at(x, i * n))
}

// --- activations: y = f(x), and slope of x from the slope of y. In place where x is y. -----------

export function relu(x: usize, n: i32, y: usize): void {
  const zero = f32x4.splat(0)
  const whole = n & ~3
  for (let i = 0; i < whole; i += 4) {
    v128.store(at(y, i), f32x4.max(v128.load(at(x, i)), zero))
  }
  if (whole == n) return
  store4(at(y, whole), f32x4.max(load4(at(x, whole), n - whole), zero), n - whole)
}

/** dx = dy where y > 0, else 0. */
export function reluGradient(dy: usize, y: usize, n: i32, dx: usize): void {
  const zero = f32x4.splat(0)
  const whole = n & ~3
  for (let i = 0; i < whole; i += 4) {
    const lives = f32x4.gt(v128.load(at(y, i)), zero)
    v128.store(at(dx, i), v128.and(v128.load(at(dy, i)), lives))
  }
  if (whole == n) return
  const left = n - whole
  const lives = f32x4.gt(load4(at(y, whole), left), zero)
  store4(at(dx, whole), v128.and(load4(at(dy, whole), left), lives), left)
}

export function sigmoid(x: usize, n: i32, y: usize): void {
  for (let i = 0; i < n; i += 4) store4(at(y, i), sigmoid4(load4(at(x, i), n - i)), n - i)
}

/** dx = dy · y · (1 − y). */
export function sigmoidGradient(dy: usize, y: usize, n: i32, dx: usize): void {
  const one = f32x4.splat(1)
  for (let i = 0; i < n; i += 4) {
    const left = n - i
    const value = load4(at(y, i), left)
    const slope = f32x4.mul(value, f32x4.sub(one, value))
    store4(at(dx, i), f32x4.mul(load4(at(dy, i), left), slope), left)
  }
}

export function tanh(x: usize, n: i32, y: usize): void {
  for (let i = 0; i < n; i += 4) store4(at(y, i), tanh4(load4(at(x, i), n - i)), n - i)
}

/** dx = dy · (1 − y²). */
export function tanhGradient(dy: usize, y: usize, n: i32, dx: usize): void {
  const one = f32x4.splat(1)
  for (let i = 0; i < n; i += 4) {
    const left = n - i
    const value = load4(at(y, i), left)
    const slope = f32x4.sub(one, f32x4.mul(value, value))
    store4(at(dx, i), f32x4.mul(load4(at(dy, i), left), slope), left)
  }
}

/**
 * Gaussian error linear unit in its tanh form, as GPT-2 has it, ½ x (1 + tanh(i(x))) with
 * i(x) = √(2/π) (x + 0.044715 x³). Hendrycks and Gimpel, arXiv:1606.08415. As ½ (1 + tanh i) = σ(2i),
 * it is x · σ(2i(x)): one exponential and one division.
 */
const geluRoot: f32 = 1.5957691216057308 // 2 √(2/π)
const geluCube: f32 = 0.044715

export function gelu(x: usize, n: i32, y: usize): void {
  for (let i = 0; i < n; i += 4) {
    const value = load4(at(x, i), n - i)
    store4(at(y, i), f32x4.mul(value, geluGate(value)), n - i)
  }
}

function geluGate(x: v128): v128 {
  const square = f32x4.mul(x, x)
  const factor = f32x4.add(f32x4.splat(1), f32x4.mul(f32x4.splat(geluCube), square))
  return sigmoid4(f32x4.mul(f32x4.mul(f32x4.splat(geluRoot), x), factor))
}

/** From the input, not from the output: dx = dy · (σ + x · σ · (1 − σ) · 2i′(x)). */
export function geluGradient(dy: usize, x: usize, n: i32, dx: usize): void {
  const one = f32x4.splat(1)
  for (let i = 0; i < n; i += 4) {
    const left = n - i
    const value = load4(at(x, i), left)
    const gate = geluGate(value)
    const square = f32x4.mul(value, value)
    const inner = f32x4.mul(
      f32x4.splat(geluRoot),
      f32x4.add(one, f32x4.mul(f32x4.splat(3 * geluCube), square))
    )
    const bend = f32x4.mul(f32x4.mul(value, f32x4.sub(one, gate)), inner)
    const slope = f32x4.mul(gate, f32x4.add(one, bend))
    store4(at(dx, i), f32x4.mul(load4(at(dy, i), left), slope), left)
  }
}

/** Softmax of each row; x of shape [rows, n]. */
export function softmax(x: usize, rows: i32, n: i32, y: usize): void {
  for (let row = 0; row < rows; row++) {
    const from = at(x, row * n)
    const to = at(y, row * n)
    let highest = -f32.MAX_VALUE
    for (let k = 0; k < n; k++) highest = max(highest, load<f32>(at(from, k)))
    let sum: f64 = 0
    for (let k = 0; k < n; k += 4) {
      store4(at(to, k), exp4(f32x4.sub(load4(at(from, k), n - k), f32x4.splat(highest))), n - k)
    }
    for (let k = 0; k < n; k++) sum += <f64>load<f32>(at(to, k))
    scale(to, n, <f32>(1 / sum), to)
  }
}

/** dx = y · (dy − Σ dy · y) of each row. */
export function softmaxGradient(dy: usize, y: usize, rows: i32, n: i32, dx: usize): void {
  for (let row = 0; row < rows; row++) {
    const slopes = at(dy, row * n)
    const values = at(y, row * n)
    let sum: f64 = 0
    for (let k = 0; k < n; k++) sum += <f64>load<f32>(at(slopes, k)) * <f64>load<f32>(at(values, k))
    const mean = f32x4.splat(<f32>sum)
    for (let k = 0; k < n; k += 4) {
      const left = n - k
      const slope = f32x4.sub(load4(at(slopes, k), left), mean)
      store4(at(dx, row * n + k), f32x4.mul(load4(at(values, k), left), slope), left)
    }
  }
}
