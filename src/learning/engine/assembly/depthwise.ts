import { at, load4, madd, store4 } from './simd'

/**
 * Convolutions of each channel with a kernel of its own. Four channels at a time, four pixels or four
 * taps at a time; images and kernels have a multiple of four channels, zeros behind the last.
 */

/**
 * y = act(Σ x[tap] · w[tap] + bias). Strides as those of `conv2d`.
 *
 * @param channels - of x and w, a multiple of 4; y has the first n of them
 * @param w - the kernel at the first tap, which is not the first of the kernel when taps go back
 */
export function depthwise(
  x: usize,
  xImage: i32,
  xRow: i32,
  xPixel: i32,
  rows: i32,
  columns: i32,
  rowStep: i32,
  channels: i32,
  count: i32,
  height: i32,
  width: i32,
  w: usize,
  wRow: i32,
  wColumn: i32,
  n: i32,
  bias: usize,
  clamps: i32,
  y: usize,
  yImage: i32,
  yRow: i32,
  yPixel: i32
): void {
  const floor: f32 = clamps != 0 ? 0 : -f32.MAX_VALUE * 2 // −∞ leaves all as it is
  const least = f32x4.splat(floor)
  for (let image = 0; image < count; image++) {
    for (let row = 0; row < height; row++) {
      const from = at(x, image * xImage + row * xRow)
      const to = at(y, image * yImage + row * yRow)
      for (let channel = 0; channel < n; channel += 4) {
        const left = n - channel
        const offset = bias == 0 ? f32x4.splat(0) : load4(at(bias, channel), left)
        for (let column = 0; column < width; column += 4) {
          // Beyond the row's end its last pixel is computed again.
          const last = width - 1
          const p0 = column
          const p1 = min(column + 1, last)
          const p2 = min(column + 2, last)
          const p3 = min(column + 3, last)
          let c0 = offset
          let c1 = offset
          let c2 = offset
          let c3 = offset
          for (let tapRow = 0; tapRow < rows; tapRow++) {
            const base = at(from, tapRow * rowStep + channel)
            let a0 = at(base, p0 * xPixel)
            let a1 = at(base, p1 * xPixel)
            let a2 = at(base, p2 * xPixel)
            let a3 = at(base, p3 * xPixel)
            let b = at(w, tapRow * wRow + channel)
            for (let tap = 0; tap < columns; tap++) {
              const weights = v128.load(b)
              c0 = madd(v128.load(a0), weights, c0)
              c1 = madd(v128.load(a1), weights, c1)
              c2 = madd(v128.load(a2), weights, c2)
              c3 = madd(v128.load(a3), weights, c3)
              a0 = at(a0, channels)
              a1 = at(a1, channels)
              a2 = at(a2, channels)
              a3 = at(a3, channels)
              b = at(b, wColumn)
            }
          }
          const target = at(to, channel)
          store4(at(target, p0 * yPixel), f32x4.pmax(c0, least), left)
          store4(at(target, p1 * yPixel), f32x4.pmax(c1, least), left)
          store4(at(target, p2 * yPixel), f32x4.pmax(c2, least), left)
          store4(at(target, p3 * yPixel), f32x4.pmax(c3, least), left)
        }
      }
    }
  }
}

/**
 * dw[tap, channel] = Σ x[tap, channel] · dy[channel] over all output pixels, image by image.
 *
 * @param dy - shape [count, height, width, channels]
 * @param dw - shape [rows, columns, n]
 */
export function depthwiseFilterSlope(
  x: usize,
  xImage: i32,
  xRow: i32,
  xPixel: i32,
  rows: i32,
  columns: i32,
  rowStep: i32,
  channels: i32,
  count: i32,
  height: i32,
  width: i32,
  dy: usize,
  n: i32,
  dw: usize
): void {
  const taps = rows * columns
  const aStep = (<usize>xPixel) << 2
  const bStep = (<usize>channels) << 2
  const skip = (<usize>(xRow - width * xPixel)) << 2
  memory.fill(dw, 0, (<usize>(taps * n)) << 2)
  for (let image = 0; image < count; image++) {
    const from = at(x, image * xImage)
    for (let channel = 0; channel < n; channel += 4) {
      for (let tap = 0; tap < taps; tap += 4) {
        let a0 = at(from, placeOf(tap, columns, rowStep, channels) + channel)
        let a1 = at(from, placeOf(min(tap + 1, taps - 1), columns, rowStep, channels) + channel)
        let a2 = at(from, placeOf(min(tap + 2, taps - 1), columns, rowStep, channels) + channel)
        let a3 = at(from, placeOf(min(tap + 3, taps - 1), columns, rowStep, channels) + channel)
        let b = at(dy, image * height * width * channels + channel)
        let c0 = f32x4.splat(0)
        let c1 = c0
        let c2 = c0
        let c3 = c0
        for (let row = 0; row < height; row++) {
          for (let column = 0; column < width; column++) {
            const slope = v128.load(b)
            c0 = madd(v128.load(a0), slope, c0)
            c1 = madd(v128.load(a1), slope, c1)
            c2 = madd(v128.load(a2), slope, c2)
            c3 = madd(v128.load(a3), slope, c3)
            a0 += aStep
            a1 += aStep
            a2 += aStep
            a3 += aStep
            b += bStep
          }
          a0 += skip
          a1 += skip
          a2 += skip
          a3 += skip
        }
        const left = n - channel
        const to = at(dw, tap * n + channel)
        addTo(to, c0, left)
        if (tap + 1 < taps) addTo(at(to, n), c1, left)
        if (tap + 2 < taps) addTo(at(to, 2 * n), c2, left)
        if (tap + 3 < taps) addTo(at(to, 3 * n), c3, left)
      }
    }
  }
}

/** Where a tap lies, in floats from the first. */
function placeOf(tap: i32, columns: i32, rowStep: i32, channels: i32): i32 {
  return (tap / columns) * rowStep + (tap % columns) * channels
}

function addTo(to: usize, four: v128, left: i32): void {
  store4(to, f32x4.add(load4(to, left), four), left)
}

/** y[pixel, channel · times + copy] = x[pixel, channel]. */
export function repeatChannels(x: usize, n: i32, times: i32, y: usize): void {
  for (let i = 0; i < n; i++) {
    const value = load<f32>(at(x, i))
    for (let copy = 0; copy < times; copy++) store<f32>(at(y, i * times + copy), value)
  }
}

/** y[i] = Σ x[i · times + copy] over the copies, n sums. */
export function sumCopies(x: usize, n: i32, times: i32, y: usize): void {
  for (let i = 0; i < n; i++) {
    let sum: f32 = 0
    for (let copy = 0; copy < times; copy++) sum += load<f32>(at(x, i * times + copy))
    store<f32>(at(y, i), sum)
  }
}
