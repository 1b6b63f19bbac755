import { packA, packB, tile } from './gemm'
import { exp4 } from './math'
import { at, lanesSum, load4, store4 } from './simd'

/**
 * Causal self-attention (Vaswani et al., "Attention Is All You Need", NeurIPS 2017): for each sample
 * and head, out = softmax(q · kᵀ / √depth) · v, where a position sees itself and those before it.
 *
 * All matrices of weights are lower triangles of shape [positions, positions], row-major. What is above
 * the diagonal is not computed: a block of four rows is zero beyond its diagonal up to the block's end,
 * and undefined after that.
 */

/** Floats of packed blocks of four rows, which follow 32 spare ones in the workspace. */
function leftSize(positions: i32, depth: i32): i32 {
  return max(4 * positions, ((positions + 3) / 4) * 4 * depth)
}

/** Floats of packed panels of eight columns, which follow those. */
function rightSize(positions: i32, depth: i32): i32 {
  return max(((depth + 7) / 8) * 8 * positions, ((positions + 7) / 8) * 8 * depth)
}

/**
 * @param qkv - queries, keys and values side by side, shape [count, positions, 3 · width]; of each,
 *   the heads are side by side
 * @param weights - receives the softmax of each sample and head
 * @param weightsStride - floats from one of these to the next; 0 to keep the last alone
 * @param out - shape [count, positions, width]
 */
export function causalAttention(
  qkv: usize,
  count: i32,
  positions: i32,
  width: i32,
  heads: i32,
  weights: usize,
  weightsStride: i32,
  out: usize,
  workspace: usize
): void {
  const depth = width / heads
  const stride = 3 * width
  const factor: f32 = <f32>1 / sqrt<f32>(<f32>depth)
  let p = weights
  for (let sample = 0; sample < count; sample++) {
    for (let head = 0; head < heads; head++) {
      const q = at(qkv, sample * positions * stride + head * depth)
      const o = at(out, sample * positions * width + head * depth)
      const k = at(q, width)
      const v = at(k, width)
      lowerProduct(positions, depth, q, stride, k, stride, p, workspace)
      causalSoftmax(p, positions, factor)
      lowerTimes(positions, depth, p, v, stride, o, width, workspace)
      p = at(p, weightsStride)
    }
  }
}

/**
 * @param slope - d loss / d out, shape [count, positions, width]
 * @param weights - as `causalAttention` left them, `positions`² floats apart
 * @param slopes - receives d loss / d qkv, shape [count, positions, 3 · width]
 * @param scratch - room for `positions`² floats
 */
export function causalAttentionGradient(
  slope: usize,
  qkv: usize,
  weights: usize,
  count: i32,
  positions: i32,
  width: i32,
  heads: i32,
  slopes: usize,
  scratch: usize,
  workspace: usize
): void {
  const depth = width / heads
  const stride = 3 * width
  const factor: f32 = <f32>1 / sqrt<f32>(<f32>depth)
  let p = weights
  for (let sample = 0; sample < count; sample++) {
    for (let head = 0; head < heads; head++) {
      const place = sample * positions * stride + head * depth
      const q = at(qkv, place)
      const k = at(q, width)
      const v = at(k, width)
      const dq = at(slopes, place)
      const dk = at(dq, width)
      const dv = at(dk, width)
      const dOut = at(slope, sample * positions * width + head * depth)
      lowerTransposedTimes(positions, depth, p, dOut, width, dv, stride, workspace)
      lowerProduct(positions, depth, dOut, width, v, stride, scratch, workspace)
      causalSoftmaxGradient(scratch, p, positions, factor)
      lowerTimes(positions, depth, scratch, k, stride, dq, stride, workspace)
      lowerTransposedTimes(positions, depth, scratch, q, stride, dk, stride, workspace)
      p = at(p, positions * positions)
    }
  }
}

/** c = a · bᵀ where the column is not after the row; a and b of shape [n, depth], strides in floats. */
function lowerProduct(
  n: i32,
  depth: i32,
  a: usize,
  aRow: i32,
  b: usize,
  bRow: i32,
  c: usize,
  workspace: usize
): void {
  const left = workspace + 128
  const right = at(left, leftSize(n, depth))
  packA(a, aRow, 1, n, depth, left)
  packB(b, 1, bRow, depth, n, right)
  for (let i = 0; i < n; i += 4) {
    const height = min(4, n - i)
    for (let j = 0; j < i + height; j += 8) {
      const to = at(c, i * n + j)
      const panel = at(right, j * depth)
      rows(depth, at(left, i * depth), panel, to, n, height, min(8, n - j), workspace)
    }
  }
}

/** c = s · b; s a lower triangle, b and c of shape [n, depth]. */
function lowerTimes(
  n: i32,
  depth: i32,
  s: usize,
  b: usize,
  bRow: i32,
  c: usize,
  cRow: i32,
  workspace: usize
): void {
  const left = workspace + 128
  const right = at(left, leftSize(n, depth))
  packB(b, bRow, 1, n, depth, right)
  for (let i = 0; i < n; i += 4) {
    const height = min(4, n - i)
    const seen = i + height
    packA(at(s, i * n), n, 1, height, seen, left)
    for (let j = 0; j < depth; j += 8) {
      const to = at(c, i * cRow + j)
      rows(seen, left, at(right, j * n), to, cRow, height, min(8, depth - j), workspace)
    }
  }
}

/** c = sᵀ · b; s a lower triangle, b and c of shape [n, depth]. */
function lowerTransposedTimes(
  n: i32,
  depth: i32,
  s: usize,
  b: usize,
  bRow: i32,
  c: usize,
  cRow: i32,
  workspace: usize
): void {
  const left = workspace + 128
  const right = at(left, leftSize(n, depth))
  packB(b, bRow, 1, n, depth, right)
  for (let i = 0; i < n; i += 4) {
    const height = min(4, n - i)
    packA(at(s, i * n + i), 1, n, height, n - i, left)
    for (let j = 0; j < depth; j += 8) {
      const to = at(c, i * cRow + j)
      const panel = at(right, j * n + i * 8)
      rows(n - i, left, panel, to, cRow, height, min(8, depth - j), workspace)
    }
  }
}

/** Up to four rows by eight columns of c, whose rows are `cRow` floats apart. */
function rows(
  depth: i32,
  a: usize,
  b: usize,
  c: usize,
  cRow: i32,
  height: i32,
  width: i32,
  spare: usize
): void {
  tile(depth, a, b, c, (<usize>cRow) << 2, height, width, false, 0, false, spare)
}

/** Row i becomes the softmax of factor · s[i, 0 … i], and zero up to the end of its block. */
function causalSoftmax(s: usize, n: i32, factor: f32): void {
  const factors = f32x4.splat(factor)
  for (let i = 0; i < n; i++) {
    const row = at(s, i * n)
    const seen = i + 1
    const whole = seen & ~3
    let peaks = f32x4.splat(load<f32>(row))
    for (let j = 0; j < whole; j += 4) peaks = f32x4.max(peaks, v128.load(at(row, j)))
    let peak = max(
      max(f32x4.extract_lane(peaks, 0), f32x4.extract_lane(peaks, 1)),
      max(f32x4.extract_lane(peaks, 2), f32x4.extract_lane(peaks, 3))
    )
    for (let j = whole; j < seen; j++) peak = max(peak, load<f32>(at(row, j)))
    peaks = f32x4.splat(peak)
    let sums = f32x4.splat(0)
    for (let j = 0; j < seen; j += 4) {
      const left = seen - j
      const scores = f32x4.mul(f32x4.sub(load4(at(row, j), left), peaks), factors)
      store4(at(row, j), exp4(scores), left)
      sums = f32x4.add(sums, load4(at(row, j), left))
    }
    const share = f32x4.splat(1 / lanesSum(sums))
    for (let j = 0; j < seen; j += 4) {
      const left = seen - j
      store4(at(row, j), f32x4.mul(load4(at(row, j), left), share), left)
    }
    clearBlock(row, i, n)
  }
}

/** From the slopes of the weights p, in place, those of the scores: factor · p · (s − Σ s · p). */
function causalSoftmaxGradient(s: usize, p: usize, n: i32, factor: f32): void {
  const factors = f32x4.splat(factor)
  for (let i = 0; i < n; i++) {
    const row = at(s, i * n)
    const weights = at(p, i * n)
    const seen = i + 1
    let sums = f32x4.splat(0)
    for (let j = 0; j < seen; j += 4) {
      const left = seen - j
      sums = f32x4.add(sums, f32x4.mul(load4(at(row, j), left), load4(at(weights, j), left)))
    }
    const mean = f32x4.splat(lanesSum(sums))
    for (let j = 0; j < seen; j += 4) {
      const left = seen - j
      const scaled = f32x4.mul(load4(at(weights, j), left), factors)
      store4(at(row, j), f32x4.mul(f32x4.sub(load4(at(row, j), left), mean), scaled), left)
    }
    clearBlock(row, i, n)
  }
}

/** Zeros from the diagonal to the end of the block of four rows that row i is in. */
function clearBlock(row: usize, i: i32, n: i32): void {
  const end = min(n, (i & ~3) + 4)
  for (let j = i + 1; j < end; j++) store<f32>(at(row, j), 0)
}
