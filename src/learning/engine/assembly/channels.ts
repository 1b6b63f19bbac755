import { at, load4, lower, store4, upper } from './simd'

/**
 * What normalising layers do to each channel; x of shape [rows, n], channels last. Sums are kept in
 * double precision, one after another, in rows of `lanesFor(n)` numbers of 64 bits.
 *
 * All channels of some rows are done before the next rows, so that memory is gone over once. Channels
 * that do not fill four have loops of their own: to ask at every row costs half of the time.
 */
function rowsAtATime(n: i32): i32 {
  return max(16, 4096 / n) // 16 KiB: half of the cache nearest the core
}

/** Channels with what fills the last four. */
export function lanesFor(n: i32): i32 {
  return (n + 3) & ~3
}

/** Address of element `index` of an array of float64. */
export function at64(base: usize, index: i32): usize {
  return base + ((<usize>index) << 3)
}

/** sums[j] = Σ x[i, j] and squares[j] = Σ x[i, j]². */
export function moments(x: usize, rows: i32, n: i32, sums: usize, squares: usize): void {
  memory.fill(sums, 0, (<usize>lanesFor(n)) << 3)
  memory.fill(squares, 0, (<usize>lanesFor(n)) << 3)
  const step = rowsAtATime(n)
  const stride = (<usize>n) << 2
  for (let first = 0; first < rows; first += step) {
    const count = min(step, rows - first)
    let j = 0
    for (; j + 4 <= n; j += 4) {
      const sum = at64(sums, j)
      const square = at64(squares, j)
      let sumLow = v128.load(sum)
      let sumHigh = v128.load(sum, 16)
      let squareLow = v128.load(square)
      let squareHigh = v128.load(square, 16)
      let from = at(x, first * n + j)
      for (let i = 0; i < count; i++) {
        const four = v128.load(from)
        const low = lower(four)
        const high = upper(four)
        sumLow = f64x2.add(sumLow, low)
        sumHigh = f64x2.add(sumHigh, high)
        squareLow = f64x2.add(squareLow, f64x2.mul(low, low))
        squareHigh = f64x2.add(squareHigh, f64x2.mul(high, high))
        from += stride
      }
      v128.store(sum, sumLow)
      v128.store(sum, sumHigh, 16)
      v128.store(square, squareLow)
      v128.store(square, squareHigh, 16)
    }
    for (; j < n; j++) {
      let sum = load<f64>(at64(sums, j))
      let square = load<f64>(at64(squares, j))
      let from = at(x, first * n + j)
      for (let i = 0; i < count; i++) {
        const value = <f64>load<f32>(from)
        sum += value
        square += value * value
        from += stride
      }
      store<f64>(at64(sums, j), sum)
      store<f64>(at64(squares, j), square)
    }
  }
}

/**
 * y = (x − mean) · scale + offset, and no less than 0 where it clamps.
 * @param means - shape [n], as scales and offsets
 */
export function normalise(
  x: usize,
  rows: i32,
  n: i32,
  means: usize,
  scales: usize,
  offsets: usize,
  clamps: i32,
  y: usize
): void {
  const lowest = f32x4.splat(clamps != 0 ? <f32>0 : <f32>-Infinity)
  const step = rowsAtATime(n)
  const stride = (<usize>n) << 2
  for (let first = 0; first < rows; first += step) {
    const count = min(step, rows - first)
    for (let j = 0; j < n; j += 4) {
      const left = n - j
      const mean = load4(at(means, j), left)
      const scale = load4(at(scales, j), left)
      const offset = load4(at(offsets, j), left)
      let place = (<usize>(first * n + j)) << 2
      if (left >= 4) {
        for (let i = 0; i < count; i++) {
          const value = scaled(f32x4.sub(v128.load(x + place), mean), scale, offset)
          v128.store(y + place, f32x4.pmax(value, lowest))
          place += stride
        }
      } else {
        for (let i = 0; i < count; i++) {
          const value = scaled(f32x4.sub(load4(x + place, left), mean), scale, offset)
          store4(y + place, f32x4.pmax(value, lowest), left)
          place += stride
        }
      }
    }
  }
}

/**
 * sums[j] = Σ g and products[j] = Σ g · (x − mean), where g is dy, or, where `normalise` clamped, dy
 * at the places that it let through.
 */
export function slopeMoments(
  dy: usize,
  x: usize,
  rows: i32,
  n: i32,
  means: usize,
  scales: usize,
  offsets: usize,
  clamps: i32,
  sums: usize,
  products: usize
): void {
  memory.fill(sums, 0, (<usize>lanesFor(n)) << 3)
  memory.fill(products, 0, (<usize>lanesFor(n)) << 3)
  const always = i32x4.splat(clamps != 0 ? 0 : -1)
  const step = rowsAtATime(n)
  const stride = (<usize>n) << 2
  for (let first = 0; first < rows; first += step) {
    const count = min(step, rows - first)
    let j = 0
    for (; j + 4 <= n; j += 4) {
      const mean = v128.load(at(means, j))
      const scale = v128.load(at(scales, j))
      const offset = v128.load(at(offsets, j))
      const sum = at64(sums, j)
      const product = at64(products, j)
      let sumLow = v128.load(sum)
      let sumHigh = v128.load(sum, 16)
      let productLow = v128.load(product)
      let productHigh = v128.load(product, 16)
      let place = (<usize>(first * n + j)) << 2
      for (let i = 0; i < count; i++) {
        const centred = f32x4.sub(v128.load(x + place), mean)
        const slope = passing(v128.load(dy + place), centred, scale, offset, always)
        const both = f32x4.mul(slope, centred)
        sumLow = f64x2.add(sumLow, lower(slope))
        sumHigh = f64x2.add(sumHigh, upper(slope))
        productLow = f64x2.add(productLow, lower(both))
        productHigh = f64x2.add(productHigh, upper(both))
        place += stride
      }
      v128.store(sum, sumLow)
      v128.store(sum, sumHigh, 16)
      v128.store(product, productLow)
      v128.store(product, productHigh, 16)
    }
    for (; j < n; j++) {
      const mean = load<f32>(at(means, j))
      const scale = load<f32>(at(scales, j))
      const offset = load<f32>(at(offsets, j))
      let sum = load<f64>(at64(sums, j))
      let product = load<f64>(at64(products, j))
      let place = (<usize>(first * n + j)) << 2
      for (let i = 0; i < count; i++) {
        const centred = load<f32>(x + place) - mean
        const passes = clamps == 0 || centred * scale + offset > 0
        const slope: f32 = passes ? load<f32>(dy + place) : 0
        sum += <f64>slope
        product += <f64>(slope * centred)
        place += stride
      }
      store<f64>(at64(sums, j), sum)
      store<f64>(at64(products, j), product)
    }
  }
}

/** dx = scale · g + shift + bend · (x − mean), with g as in `slopeMoments`. */
export function normaliseGradient(
  dy: usize,
  x: usize,
  rows: i32,
  n: i32,
  means: usize,
  scales: usize,
  offsets: usize,
  clamps: i32,
  shifts: usize,
  bends: usize,
  dx: usize
): void {
  const always = i32x4.splat(clamps != 0 ? 0 : -1)
  const step = rowsAtATime(n)
  const stride = (<usize>n) << 2
  for (let first = 0; first < rows; first += step) {
    const count = min(step, rows - first)
    for (let j = 0; j < n; j += 4) {
      const left = n - j
      const mean = load4(at(means, j), left)
      const scale = load4(at(scales, j), left)
      const offset = load4(at(offsets, j), left)
      const shift = load4(at(shifts, j), left)
      const bend = load4(at(bends, j), left)
      let place = (<usize>(first * n + j)) << 2
      if (left >= 4) {
        for (let i = 0; i < count; i++) {
          const centred = f32x4.sub(v128.load(x + place), mean)
          const slope = passing(v128.load(dy + place), centred, scale, offset, always)
          v128.store(dx + place, bent(slope, centred, scale, shift, bend))
          place += stride
        }
      } else {
        for (let i = 0; i < count; i++) {
          const centred = f32x4.sub(load4(x + place, left), mean)
          const slope = passing(load4(dy + place, left), centred, scale, offset, always)
          store4(dx + place, bent(slope, centred, scale, shift, bend), left)
          place += stride
        }
      }
    }
  }
}

/** The slope where (x − mean) · scale + offset is above 0, in the operations of `normalise`. */
function passing(slope: v128, centred: v128, scale: v128, offset: v128, always: v128): v128 {
  const isAbove = f32x4.gt(scaled(centred, scale, offset), f32x4.splat(0))
  return v128.and(slope, v128.or(isAbove, always))
}

function scaled(centred: v128, scale: v128, offset: v128): v128 {
  return f32x4.add(f32x4.mul(centred, scale), offset)
}

function bent(slope: v128, centred: v128, scale: v128, shift: v128, bend: v128): v128 {
  return f32x4.add(f32x4.mul(scale, slope), f32x4.add(f32x4.mul(bend, centred), shift))
}
