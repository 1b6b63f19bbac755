import { packB } from './gemm'
import { at, madd } from './simd'

/**
 * Convolutions without a copy of their patches: the innermost loop reads images where they lie. An image
 * that is to be padded was copied into zeros before, so that every patch is `rows` pieces of `length`
 * floats; all else about patches (strides, ends of rows, last blocks of pixels) is a pixel's address.
 */

/** Pixels whose addresses are worked out at a time. */
const stripPixels: i32 = 64

/**
 * Filters in panels of eight, as `conv2d` reads them: each panel tap by tap and depth by depth; missing
 * columns are zero.
 *
 * @param w - element (row, column, p, j) at w + row·rowStride + column·columnStride + p·pStride + j·jStride
 * @param to - ceil(n / 8) · 8 · rows · columns · depth floats
 */
export function packFilters(
  w: usize,
  rows: i32,
  rowStride: i32,
  columns: i32,
  columnStride: i32,
  depth: i32,
  depthStride: i32,
  n: i32,
  nStride: i32,
  to: usize
): void {
  for (let j = 0; j < n; j += 8) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const tap = at(w, row * rowStride + column * columnStride + j * nStride)
        packB(tap, depthStride, nStride, depth, min(8, n - j), to)
        to += (<usize>depth) << 5
      }
    }
  }
}

/**
 * y = act(patch · filters + bias) for every output pixel. Strides are floats from one output pixel,
 * row or image to the next.
 *
 * @param rows - pieces of a patch, `rowStep` floats apart, each of `length` floats
 * @param panels - from `packFilters`
 * @param bias - shape [n], or 0 for none
 * @param clamps - 1: no output below 0 (relu)
 * @param workspace - 32 floats for pieces of tiles, 8 for a bias, and two addresses for each pixel of a strip
 */
export function conv2d(
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
  panels: usize,
  n: i32,
  bias: usize,
  clamps: i32,
  y: usize,
  yImage: i32,
  yRow: i32,
  yPixel: i32,
  workspace: usize
): void {
  const offsets = workspace + 128
  const addresses = workspace + 160
  const floor: f32 = clamps != 0 ? 0 : -f32.MAX_VALUE * 2 // −∞ leaves all as it is
  const panelBytes = (<usize>(rows * length)) << 5
  const pixels = count * height * width
  let image = 0
  let row = 0
  let column = 0
  for (let first = 0; first < pixels; first += stripPixels) {
    const strip = min(stripPixels, pixels - first)
    for (let i = 0; i < strip; i++) {
      const entry = entryOf(addresses, i)
      store<usize>(entry, at(x, image * xImage + row * xRow + column * xPixel))
      store<usize>(entry, at(y, image * yImage + row * yRow + column * yPixel), 4)
      if (++column < width) continue
      column = 0
      if (++row < height) continue
      row = 0
      image++
    }
    // A last block of fewer than four pixels computes one of them again.
    for (let i = strip; i & 3; i++) {
      store<u64>(entryOf(addresses, i), load<u64>(entryOf(addresses, i - 1)))
    }
    let panel = panels
    for (let j = 0; j < n; j += 8) {
      const columns = min(8, n - j)
      memory.fill(offsets, 0, 32)
      if (bias != 0) memory.copy(offsets, at(bias, j), (<usize>columns) << 2)
      for (let i = 0; i < strip; i += 4) {
        tile(entryOf(addresses, i), rows, rowStep, length, panel, j, columns, floor, workspace)
      }
      panel += panelBytes
    }
  }
}

/** The addresses of a pixel's patch and output. */
function entryOf(addresses: usize, pixel: i32): usize {
  return addresses + ((<usize>pixel) << 3)
}

/** Four pixels by eight filters, beginning from the offsets that lie behind `spare`. */
function tile(
  pixel: usize,
  rows: i32,
  rowStep: i32,
  length: i32,
  b: usize,
  j: i32,
  columns: i32,
  floor: f32,
  spare: usize
): void {
  let a0 = load<usize>(pixel)
  let a1 = load<usize>(pixel, 8)
  let a2 = load<usize>(pixel, 16)
  let a3 = load<usize>(pixel, 24)
  const skip = (<usize>(rowStep - length)) << 2
  const rowBytes = (<usize>length) << 5
  let c00 = v128.load(spare, 128)
  let c01 = v128.load(spare, 144)
  let c10 = c00
  let c11 = c01
  let c20 = c00
  let c21 = c01
  let c30 = c00
  let c31 = c01
  for (let row = 0; row < rows; row++) {
    const end = b + rowBytes
    do {
      const b0 = v128.load(b)
      const b1 = v128.load(b, 16)
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
      b += 32
      a0 += 4
      a1 += 4
      a2 += 4
      a3 += 4
    } while (b != end)
    a0 += skip
    a1 += skip
    a2 += skip
    a3 += skip
  }
  const least = f32x4.splat(floor)
  const isWhole = columns == 8
  const y0 = isWhole ? at(load<usize>(pixel, 4), j) : spare
  const y1 = isWhole ? at(load<usize>(pixel, 12), j) : spare + 32
  const y2 = isWhole ? at(load<usize>(pixel, 20), j) : spare + 64
  const y3 = isWhole ? at(load<usize>(pixel, 28), j) : spare + 96
  v128.store(y0, f32x4.pmax(c00, least))
  v128.store(y0, f32x4.pmax(c01, least), 16)
  v128.store(y1, f32x4.pmax(c10, least))
  v128.store(y1, f32x4.pmax(c11, least), 16)
  v128.store(y2, f32x4.pmax(c20, least))
  v128.store(y2, f32x4.pmax(c21, least), 16)
  v128.store(y3, f32x4.pmax(c30, least))
  v128.store(y3, f32x4.pmax(c31, least), 16)
  if (isWhole) return
  for (let i = 0; i < 4; i++) {
    const to = at(load<usize>(entryOf(pixel, i), 4), j)
    memory.copy(to, spare + ((<usize>i) << 5), (<usize>columns) << 2)
  }
}

/**
 * Images within zeros: y[i, top + row, left + column, channel] = x[i, row, column, channel], and all
 * else is 0. The sides of y are such that x fits.
 */
export function padImages(
  x: usize,
  count: i32,
  height: i32,
  width: i32,
  channels: i32,
  y: usize,
  yHeight: i32,
  yWidth: i32,
  yChannels: i32,
  top: i32,
  left: i32
): void {
  const yRow = yWidth * yChannels
  for (let image = 0; image < count; image++) {
    for (let row = 0; row < yHeight; row++) {
      const to = at(y, (image * yHeight + row) * yRow)
      const xRow = row - top
      if (xRow < 0 || xRow >= height) {
        memory.fill(to, 0, (<usize>yRow) << 2)
        continue
      }
      const from = at(x, (image * height + xRow) * width * channels)
      const before = left * yChannels
      memory.fill(to, 0, (<usize>before) << 2)
      let place = before
      if (yChannels == channels) {
        memory.copy(at(to, before), from, (<usize>(width * channels)) << 2)
        place += width * channels
      } else {
        for (let column = 0; column < width; column++) {
          const pixel = at(to, place)
          memory.copy(pixel, at(from, column * channels), (<usize>channels) << 2)
          memory.fill(at(pixel, channels), 0, (<usize>(yChannels - channels)) << 2)
          place += yChannels
        }
      }
      memory.fill(at(to, place), 0, (<usize>(yRow - place)) << 2)
    }
  }
}
