import { at, madd } from './simd'

/** Bytes of image and slope that are gone through at a time: they stay near the core. */
const stripBytes: i32 = 24576

/**
 * The slope of a convolution's filters: dw[q, f] = Σ patch[q] · dy[f] over all output pixels, summed strip
 * by strip of images. Patches and their strides are those of `conv2d`.
 *
 * @param dy - shape [count, height, width, dyPixel]; dyPixel is a multiple of 8, the first n count
 * @param dw - shape [rows · length, n]
 * @param workspace - 32 floats
 */
export function conv2dFilterSlope(
  x: usize,
  xImage: i32,
  xRow: i32,
  xPixel: i32,
  rows: i32,
  rowStep: i32,
  length: i32,
  count: i32,
  height: i32,
  width: i32,
  dy: usize,
  dyPixel: i32,
  n: i32,
  dw: usize,
  workspace: usize
): void {
  const depth = rows * length
  const most = max(1, stripBytes / (4 * (xRow + width * dyPixel)))
  const strips = (height + most - 1) / most
  const stripRows = (height + strips - 1) / strips
  memory.fill(dw, 0, (<usize>(depth * n)) << 2)
  for (let image = 0; image < count; image++) {
    for (let row = 0; row < height; row += stripRows) {
      const high = min(stripRows, height - row)
      const from = at(x, image * xImage + row * xRow)
      const slopes = at(dy, (image * height + row) * width * dyPixel)
      for (let j = 0; j < n; j += 8) {
        for (let q = 0; q < depth; q += 4) {
          const isWhole = q + 4 <= depth && j + 8 <= n
          const to = at(dw, q * n + j)
          const c = isWhole ? to : workspace
          const cRow = isWhole ? (<usize>n) << 2 : 32
          if (!isWhole) memory.fill(workspace, 0, 128)
          const slope = at(slopes, j)
          const a0 = at(from, placeOf(q, length, rowStep))
          if ((q % length) + 4 <= length) {
            tile(a0, xPixel, xRow, width, high, slope, dyPixel, c, cRow)
          } else {
            const a1 = at(from, placeOf(min(q + 1, depth - 1), length, rowStep))
            const a2 = at(from, placeOf(min(q + 2, depth - 1), length, rowStep))
            const a3 = at(from, placeOf(min(q + 3, depth - 1), length, rowStep))
            brokenTile(a0, a1, a2, a3, xPixel, xRow, width, high, slope, dyPixel, c, cRow)
          }
          if (!isWhole) addTile(workspace, min(4, depth - q), min(8, n - j), to, n)
        }
      }
    }
  }
}

/** Where the number q of a patch lies, in floats from its beginning. */
function placeOf(q: i32, length: i32, rowStep: i32): i32 {
  return (q / length) * rowStep + (q % length)
}

/** c[i, j] += the part of a tile, eight floats a row, that is there. */
function addTile(tile: usize, height: i32, width: i32, c: usize, n: i32): void {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const to = at(c, y * n + x)
      store<f32>(to, load<f32>(to) + load<f32>(at(tile, 8 * y + x)))
    }
  }
}

/** c += four numbers of a patch that lie side by side, times eight slopes, over a strip. */
function tile(
  a: usize,
  xPixel: i32,
  xRow: i32,
  width: i32,
  height: i32,
  dy: usize,
  dyPixel: i32,
  c: usize,
  cRow: usize
): void {
  const aStep = (<usize>xPixel) << 2
  const bStep = (<usize>dyPixel) << 2
  const skip = (<usize>(xRow - width * xPixel)) << 2
  const rowBytes = bStep * <usize>width
  let c00 = f32x4.splat(0)
  let c01 = c00
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  for (let row = 0; row < height; row++) {
    const end = dy + rowBytes
    do {
      const b0 = v128.load(dy)
      const b1 = v128.load(dy, 16)
      const x0 = v128.load_splat<f32>(a)
      c00 = madd(x0, b0, c00)
      c01 = madd(x0, b1, c01)
      const x1 = v128.load_splat<f32>(a, 4)
      c10 = madd(x1, b0, c10)
      c11 = madd(x1, b1, c11)
      const x2 = v128.load_splat<f32>(a, 8)
      c20 = madd(x2, b0, c20)
      c21 = madd(x2, b1, c21)
      const x3 = v128.load_splat<f32>(a, 12)
      c30 = madd(x3, b0, c30)
      c31 = madd(x3, b1, c31)
      a += aStep
      dy += bStep
    } while (dy != end)
    a += skip
  }
  v128.store(c, f32x4.add(v128.load(c), c00))
  v128.store(c, f32x4.add(v128.load(c, 16), c01), 16)
  v128.store(c + cRow, f32x4.add(v128.load(c + cRow), c10))
  v128.store(c + cRow, f32x4.add(v128.load(c + cRow, 16), c11), 16)
  v128.store(c + 2 * cRow, f32x4.add(v128.load(c + 2 * cRow), c20))
  v128.store(c + 2 * cRow, f32x4.add(v128.load(c + 2 * cRow, 16), c21), 16)
  v128.store(c + 3 * cRow, f32x4.add(v128.load(c + 3 * cRow), c30))
  v128.store(c + 3 * cRow, f32x4.add(v128.load(c + 3 * cRow, 16), c31), 16)
}

/** The same where a row of the patch ends within the four, or the patch itself. */
function brokenTile(
  a0: usize,
  a1: usize,
  a2: usize,
  a3: usize,
  xPixel: i32,
  xRow: i32,
  width: i32,
  height: i32,
  dy: usize,
  dyPixel: i32,
  c: usize,
  cRow: usize
): void {
  const aStep = (<usize>xPixel) << 2
  const bStep = (<usize>dyPixel) << 2
  const skip = (<usize>(xRow - width * xPixel)) << 2
  const rowBytes = bStep * <usize>width
  let c00 = f32x4.splat(0)
  let c01 = c00
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  for (let row = 0; row < height; row++) {
    const end = dy + rowBytes
    do {
      const b0 = v128.load(dy)
      const b1 = v128.load(dy, 16)
      const x0 = v128.load_splat<f32>(a0)
      c00 = madd(x0, b0, c00)
      c01 = madd(x0, b1, c01)
      const x1 = v128.load_splat<f32>(a1)
      c10 = madd(x1, b0, c10)
      c11 = madd(x1, b1, c11)
      const x2 = v128.load_splat<f32>(a2)
      c20 = madd(x2, b0, c20)
      c21 = madd(x2, b1, c21)
      const x3 = v128.load_splat<f32>(a3)
      c30 = madd(x3, b0, c30)
      c31 = madd(x3, b1, c31)
      a0 += aStep
      a1 += aStep
      a2 += aStep
      a3 += aStep
      dy += bStep
    } while (dy != end)
    a0 += skip
    a1 += skip
    a2 += skip
    a3 += skip
  }
  v128.store(c, f32x4.add(v128.load(c), c00))
  v128.store(c, f32x4.add(v128.load(c, 16), c01), 16)
  v128.store(c + cRow, f32x4.add(v128.load(c + cRow), c10))
  v128.store(c + cRow, f32x4.add(v128.load(c + cRow, 16), c11), 16)
  v128.store(c + 2 * cRow, f32x4.add(v128.load(c + 2 * cRow), c20))
  v128.store(c + 2 * cRow, f32x4.add(v128.load(c + 2 * cRow, 16), c21), 16)
  v128.store(c + 3 * cRow, f32x4.add(v128.load(c + 3 * cRow), c30))
  v128.store(c + 3 * cRow, f32x4.add(v128.load(c + 3 * cRow, 16), c31), 16)
}
