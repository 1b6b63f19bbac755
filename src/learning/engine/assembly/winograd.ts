import { conv2d } from './conv2d'
import { at } from './simd'

/**
 * Convolutions of 3 × 3 with 16 multiplications for each 2 × 2 outputs instead of 36: F(2×2, 3×3) of
 * Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016. Filters, tiles of 4 × 4
 * pixels and products of the two are each taken to another basis and back; between, there are sixteen
 * matrix products. Kernels of ±1 and ½ lose less than a bit.
 */

/** Tiles that are gone through at a time. */
const stripTiles: i32 = 32

/**
 * U = G g Gᵀ of every filter, as sixteen matrices in the panels that `conv2d` reads.
 *
 * @param w - element (row, column, p, j) at w + row·rowStride + column·columnStride + p·pStride + j·jStride
 * @param to - 16 · depth · ceil(n / 8) · 8 floats
 */
export function winogradFilters(
  w: usize,
  rowStride: i32,
  columnStride: i32,
  depth: i32,
  depthStride: i32,
  n: i32,
  nStride: i32,
  to: usize
): void {
  const matrix = (((n + 7) & ~7) * depth) << 2
  for (let j = 0; j < n; j += 8) {
    for (let p = 0; p < depth; p++) {
      for (let x = 0; x < 8; x++) {
        const place = at(to, j * depth + 8 * p + x)
        if (j + x >= n) {
          for (let i = 0; i < 16; i++) store<f32>(place + i * matrix, 0)
          continue
        }
        const g = at(w, p * depthStride + (j + x) * nStride)
        for (let row = 0; row < 4; row++) {
          const t0 = rowOf(g, row, rowStride, 0)
          const t1 = rowOf(g, row, rowStride, columnStride)
          const t2 = rowOf(g, row, rowStride, 2 * columnStride)
          const to4 = place + 4 * row * matrix
          store<f32>(to4, t0)
          store<f32>(to4 + matrix, 0.5 * (t0 + t1 + t2))
          store<f32>(to4 + 2 * matrix, 0.5 * (t0 - t1 + t2))
          store<f32>(to4 + 3 * matrix, t2)
        }
      }
    }
  }
}

/** One number of G g. */
function rowOf(g: usize, row: i32, rowStride: i32, offset: i32): f32 {
  const top = load<f32>(at(g, offset))
  if (row == 0) return top
  const bottom = load<f32>(at(g, offset + 2 * rowStride))
  if (row == 3) return bottom
  const middle = load<f32>(at(g, offset + rowStride))
  return 0.5 * (row == 1 ? top + middle + bottom : top - middle + bottom)
}

/**
 * y = act(x ∗ filters + bias), with as many tiles of 2 × 2 pixels as y has.
 *
 * @param x - shape [count, ...], rows `xRow` and images `xImage` floats apart: a pixel more on each side
 *   than y
 * @param depth - channels of x, a multiple of 4
 * @param n - channels of y, a multiple of 4
 * @param workspace - 704 bytes for `conv2d`, then 16 · (stripTiles · (depth + n) + 32) floats
 */
export function winograd(
  x: usize,
  xImage: i32,
  xRow: i32,
  depth: i32,
  count: i32,
  high: i32,
  wide: i32,
  u: usize,
  n: i32,
  bias: usize,
  clamps: i32,
  y: usize,
  workspace: usize
): void {
  const tiles = count * high * wide
  const v = workspace + 704
  // Sixteen floats more, so that places of one tile do not fall into the same lines of the cache.
  const vMatrix = stripTiles * depth + 16
  const mMatrix = stripTiles * n + 16
  const m = at(v, 16 * vMatrix)
  const matrix = ((n + 7) & ~7) * depth
  const yRow = 2 * wide * n
  for (let first = 0; first < tiles; first += stripTiles) {
    const some = min(stripTiles, tiles - first)
    for (let t = 0; t < some; t++) {
      const image = (first + t) / (high * wide)
      const row = ((first + t) / wide) % high
      const column = (first + t) % wide
      const from = at(x, image * xImage + 2 * row * xRow + 2 * column * depth)
      intoBasis(from, (<usize>xRow) << 2, depth, at(v, t * depth), (<usize>vMatrix) << 2)
    }
    for (let i = 0; i < 16; i++) {
      const from = at(v, i * vMatrix)
      const to = at(m, i * mMatrix)
      const panels = at(u, i * matrix)
      conv2d(from, 0, 0, depth, 1, 0, depth, 1, 1, some, panels, n, 0, 0, to, 0, 0, n, workspace)
    }
    for (let t = 0; t < some; t++) {
      const image = (first + t) / (high * wide)
      const row = ((first + t) / wide) % high
      const column = (first + t) % wide
      const to = at(y, (image * high + row) * 2 * yRow + 2 * column * n)
      outOfBasis(at(m, t * n), (<usize>mMatrix) << 2, n, bias, clamps, to, (<usize>yRow) << 2)
    }
  }
}

/** Bᵀ d B of a tile of 4 × 4 pixels; strides in bytes. */
function intoBasis(x: usize, xRow: usize, depth: i32, v: usize, vStep: usize): void {
  const pixel = (<usize>depth) << 2
  for (let c = 0; c < depth; c += 4) {
    const d0 = at(x, c)
    const d1 = d0 + xRow
    const d2 = d1 + xRow
    const d3 = d2 + xRow
    const to = at(v, c)
    differences(d0, d2, pixel, to, vStep)
    sums(d1, d2, pixel, to + 4 * vStep, vStep)
    differences(d2, d1, pixel, to + 8 * vStep, vStep)
    differences(d1, d3, pixel, to + 12 * vStep, vStep)
  }
}

/** (a − b) B of two rows of four pixels. */
function differences(a: usize, b: usize, pixel: usize, to: usize, step: usize): void {
  const t0 = f32x4.sub(v128.load(a), v128.load(b))
  const t1 = f32x4.sub(v128.load(a + pixel), v128.load(b + pixel))
  const t2 = f32x4.sub(v128.load(a + 2 * pixel), v128.load(b + 2 * pixel))
  const t3 = f32x4.sub(v128.load(a + 3 * pixel), v128.load(b + 3 * pixel))
  v128.store(to, f32x4.sub(t0, t2))
  v128.store(to + step, f32x4.add(t1, t2))
  v128.store(to + 2 * step, f32x4.sub(t2, t1))
  v128.store(to + 3 * step, f32x4.sub(t1, t3))
}

/** (a + b) B of two rows of four pixels. */
function sums(a: usize, b: usize, pixel: usize, to: usize, step: usize): void {
  const t0 = f32x4.add(v128.load(a), v128.load(b))
  const t1 = f32x4.add(v128.load(a + pixel), v128.load(b + pixel))
  const t2 = f32x4.add(v128.load(a + 2 * pixel), v128.load(b + 2 * pixel))
  const t3 = f32x4.add(v128.load(a + 3 * pixel), v128.load(b + 3 * pixel))
  v128.store(to, f32x4.sub(t0, t2))
  v128.store(to + step, f32x4.add(t1, t2))
  v128.store(to + 2 * step, f32x4.sub(t2, t1))
  v128.store(to + 3 * step, f32x4.sub(t1, t3))
}

/** Aᵀ m A: 2 × 2 pixels; strides in bytes. */
function outOfBasis(
  m: usize,
  mStep: usize,
  n: i32,
  bias: usize,
  clamps: i32,
  y: usize,
  yRow: usize
): void {
  const pixel = (<usize>n) << 2
  const floor: f32 = clamps != 0 ? 0 : -f32.MAX_VALUE * 2
  const least = f32x4.splat(floor)
  for (let c = 0; c < n; c += 4) {
    const offset = bias == 0 ? f32x4.splat(0) : v128.load(at(bias, c))
    const m0 = at(m, c)
    const m1 = m0 + 4 * mStep
    const m2 = m1 + 4 * mStep
    const m3 = m2 + 4 * mStep
    const p0 = leftOf(m0, mStep)
    const p1 = leftOf(m1, mStep)
    const p2 = leftOf(m2, mStep)
    const p3 = leftOf(m3, mStep)
    const q0 = rightOf(m0, mStep)
    const q1 = rightOf(m1, mStep)
    const q2 = rightOf(m2, mStep)
    const q3 = rightOf(m3, mStep)
    const top0 = f32x4.add(offset, f32x4.add(f32x4.add(p0, p1), p2))
    const top1 = f32x4.add(offset, f32x4.add(f32x4.add(q0, q1), q2))
    const bottom0 = f32x4.add(offset, f32x4.sub(f32x4.sub(p1, p2), p3))
    const bottom1 = f32x4.add(offset, f32x4.sub(f32x4.sub(q1, q2), q3))
    const to = at(y, c)
    v128.store(to, f32x4.pmax(top0, least))
    v128.store(to + pixel, f32x4.pmax(top1, least))
    v128.store(to + yRow, f32x4.pmax(bottom0, least))
    v128.store(to + yRow + pixel, f32x4.pmax(bottom1, least))
  }
}

/** The first of a row of m A. */
function leftOf(m: usize, step: usize): v128 {
  return f32x4.add(f32x4.add(v128.load(m), v128.load(m + step)), v128.load(m + 2 * step))
}

/** The second of a row of m A. */
function rightOf(m: usize, step: usize): v128 {
  const difference = f32x4.sub(v128.load(m + step), v128.load(m + 2 * step))
  return f32x4.sub(difference, v128.load(m + 3 * step))
}
