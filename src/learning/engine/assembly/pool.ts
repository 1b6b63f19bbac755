import { at, load4, lower, store4, upper } from './simd'

/**
 * Windows that slide over images, shape [count, height, width, channels], and leave one number for each
 * channel. Places of a window beyond the image do not count.
 *
 * Windows of two by two, the usual ones, have loops of their own where channels come in fours.
 *
 * @param top - rows of the first window that lie above the image; `left` columns beside it
 * @param y - shape [count, outHeight, outWidth, channels]
 */
export function maxPool(
  x: usize,
  count: i32,
  height: i32,
  width: i32,
  channels: i32,
  sizeY: i32,
  sizeX: i32,
  strideY: i32,
  strideX: i32,
  top: i32,
  left: i32,
  outHeight: i32,
  outWidth: i32,
  y: usize
): void {
  const place = (<usize>channels) << 2
  const line = <usize>width * place
  for (let b = 0; b < count; b++) {
    for (let i = 0; i < outHeight; i++) {
      const y0 = max(i * strideY - top, 0)
      const y1 = min(i * strideY - top + sizeY, height)
      for (let j = 0; j < outWidth; j++) {
        const x0 = max(j * strideX - left, 0)
        const x1 = min(j * strideX - left + sizeX, width)
        const corner = x + <usize>(b * height + y0) * line + <usize>x0 * place
        let c = 0
        if (y1 - y0 == 2 && x1 - x0 == 2) {
          for (; c + 4 <= channels; c += 4) {
            const up = at(corner, c)
            const down = up + line
            const best = f32x4.pmax(v128.load(up), v128.load(up + place))
            const other = f32x4.pmax(v128.load(down), v128.load(down + place))
            v128.store(at(y, c), f32x4.pmax(best, other))
          }
        }
        for (; c < channels; c += 4) {
          const lanes = channels - c
          let row = at(corner, c)
          let best = load4(row, lanes)
          for (let yy = y0; yy < y1; yy++) {
            let from = row
            for (let xx = x0; xx < x1; xx++) {
              best = f32x4.pmax(best, load4(from, lanes))
              from += place
            }
            row += line
          }
          store4(at(y, c), best, lanes)
        }
        y += place
      }
    }
  }
}

/** The slope goes to the first place of the window, row by row, that holds the largest number. */
export function maxPoolGradient(
  dy: usize,
  x: usize,
  y: usize,
  count: i32,
  height: i32,
  width: i32,
  channels: i32,
  sizeY: i32,
  sizeX: i32,
  strideY: i32,
  strideX: i32,
  top: i32,
  left: i32,
  outHeight: i32,
  outWidth: i32,
  dx: usize
): void {
  const place = (<usize>channels) << 2
  const line = <usize>width * place
  const adds = !tiles(height, sizeY, strideY, top, outHeight, width, sizeX, strideX, left, outWidth)
  if (adds) memory.fill(dx, 0, <usize>(count * height) * line)
  for (let b = 0; b < count; b++) {
    for (let i = 0; i < outHeight; i++) {
      const y0 = max(i * strideY - top, 0)
      const y1 = min(i * strideY - top + sizeY, height)
      for (let j = 0; j < outWidth; j++) {
        const x0 = max(j * strideX - left, 0)
        const x1 = min(j * strideX - left + sizeX, width)
        const corner = <usize>(b * height + y0) * line + <usize>x0 * place
        let c = 0
        if (!adds && y1 - y0 == 2 && x1 - x0 == 2) {
          for (; c + 4 <= channels; c += 4) {
            const slope = v128.load(at(dy, c))
            const best = v128.load(at(y, c))
            const up = at(corner, c)
            const down = up + line
            const hit0 = f32x4.eq(v128.load(x + up), best)
            const hit1 = f32x4.eq(v128.load(x + up + place), best)
            const hit2 = f32x4.eq(v128.load(x + down), best)
            const hit3 = f32x4.eq(v128.load(x + down + place), best)
            const isUp = v128.or(hit0, hit1)
            v128.store(dx + up, v128.and(slope, hit0))
            v128.store(dx + up + place, v128.and(slope, v128.andnot(hit1, hit0)))
            v128.store(dx + down, v128.and(slope, v128.andnot(hit2, isUp)))
            const isBefore = v128.or(isUp, hit2)
            v128.store(dx + down + place, v128.and(slope, v128.andnot(hit3, isBefore)))
          }
        }
        for (; c < channels; c += 4) {
          const lanes = channels - c
          const slope = load4(at(dy, c), lanes)
          const best = load4(at(y, c), lanes)
          let isOpen = i32x4.splat(-1)
          let row = at(corner, c)
          for (let yy = y0; yy < y1; yy++) {
            let offset = row
            for (let xx = x0; xx < x1; xx++) {
              const hit = v128.and(f32x4.eq(load4(x + offset, lanes), best), isOpen)
              isOpen = v128.andnot(isOpen, hit)
              const share = v128.and(slope, hit)
              const sum = adds ? f32x4.add(load4(dx + offset, lanes), share) : share
              store4(dx + offset, sum, lanes)
              offset += place
            }
            row += line
          }
        }
        dy += place
        y += place
      }
    }
  }
}

/** The mean of the window's places inside of the image. */
export function averagePool(
  x: usize,
  count: i32,
  height: i32,
  width: i32,
  channels: i32,
  sizeY: i32,
  sizeX: i32,
  strideY: i32,
  strideX: i32,
  top: i32,
  left: i32,
  outHeight: i32,
  outWidth: i32,
  y: usize
): void {
  const place = (<usize>channels) << 2
  const line = <usize>width * place
  for (let b = 0; b < count; b++) {
    for (let i = 0; i < outHeight; i++) {
      const y0 = max(i * strideY - top, 0)
      const y1 = min(i * strideY - top + sizeY, height)
      for (let j = 0; j < outWidth; j++) {
        const x0 = max(j * strideX - left, 0)
        const x1 = min(j * strideX - left + sizeX, width)
        const corner = x + <usize>(b * height + y0) * line + <usize>x0 * place
        const share = f32x4.splat(1 / <f32>((y1 - y0) * (x1 - x0)))
        for (let c = 0; c < channels; c += 4) {
          const lanes = channels - c
          let row = at(corner, c)
          let sum = f32x4.splat(0)
          for (let yy = y0; yy < y1; yy++) {
            let from = row
            for (let xx = x0; xx < x1; xx++) {
              sum = f32x4.add(sum, load4(from, lanes))
              from += place
            }
            row += line
          }
          store4(at(y, c), f32x4.mul(sum, share), lanes)
        }
        y += place
      }
    }
  }
}

export function averagePoolGradient(
  dy: usize,
  count: i32,
  height: i32,
  width: i32,
  channels: i32,
  sizeY: i32,
  sizeX: i32,
  strideY: i32,
  strideX: i32,
  top: i32,
  left: i32,
  outHeight: i32,
  outWidth: i32,
  dx: usize
): void {
  const place = (<usize>channels) << 2
  const line = <usize>width * place
  const adds = !tiles(height, sizeY, strideY, top, outHeight, width, sizeX, strideX, left, outWidth)
  if (adds) memory.fill(dx, 0, <usize>(count * height) * line)
  for (let b = 0; b < count; b++) {
    for (let i = 0; i < outHeight; i++) {
      const y0 = max(i * strideY - top, 0)
      const y1 = min(i * strideY - top + sizeY, height)
      for (let j = 0; j < outWidth; j++) {
        const x0 = max(j * strideX - left, 0)
        const x1 = min(j * strideX - left + sizeX, width)
        const corner = dx + <usize>(b * height + y0) * line + <usize>x0 * place
        const share = f32x4.splat(1 / <f32>((y1 - y0) * (x1 - x0)))
        for (let c = 0; c < channels; c += 4) {
          const lanes = channels - c
          const slope = f32x4.mul(load4(at(dy, c), lanes), share)
          let row = at(corner, c)
          for (let yy = y0; yy < y1; yy++) {
            let to = row
            for (let xx = x0; xx < x1; xx++) {
              store4(to, adds ? f32x4.add(load4(to, lanes), slope) : slope, lanes)
              to += place
            }
            row += line
          }
        }
        dy += place
      }
    }
  }
}

/** Whether windows cover every place of an image once, so that slopes are stored and not summed. */
function tiles(
  height: i32,
  sizeY: i32,
  strideY: i32,
  top: i32,
  outHeight: i32,
  width: i32,
  sizeX: i32,
  strideX: i32,
  left: i32,
  outWidth: i32
): bool {
  const isTiledY = sizeY == strideY && outHeight * strideY - top >= height
  return isTiledY && sizeX == strideX && outWidth * strideX - left >= width
}

/** y[b, c] = mean of x[b, p, c] over the places, in double precision; x of shape [count, places, channels]. */
export function placesMean(x: usize, count: i32, places: i32, channels: i32, y: usize): void {
  const share = 1 / <f64>places
  for (let b = 0; b < count; b++) {
    for (let c = 0; c < channels; c += 4) {
      const lanes = channels - c
      let low = f64x2.splat(0)
      let high = low
      let from = at(x, b * places * channels + c)
      for (let p = 0; p < places; p++) {
        const four = load4(from, lanes)
        low = f64x2.add(low, lower(four))
        high = f64x2.add(high, upper(four))
        from += (<usize>channels) << 2
      }
      const factor = f64x2.splat(share)
      const first = f32x4.demote_f64x2_zero(f64x2.mul(low, factor))
      const second = f32x4.demote_f64x2_zero(f64x2.mul(high, factor))
      store4(at(y, b * channels + c), v128.shuffle<f32>(first, second, 0, 1, 4, 5), lanes)
    }
  }
}

/** dx[b, p, c] = dy[b, c] / places. */
export function placesMeanGradient(
  dy: usize,
  count: i32,
  places: i32,
  channels: i32,
  dx: usize
): void {
  const share = f32x4.splat(1 / <f32>places)
  for (let b = 0; b < count; b++) {
    for (let c = 0; c < channels; c += 4) {
      const lanes = channels - c
      const slope = f32x4.mul(load4(at(dy, b * channels + c), lanes), share)
      let to = at(dx, b * places * channels + c)
      for (let p = 0; p < places; p++) {
        store4(to, slope, lanes)
        to += (<usize>channels) << 2
      }
    }
  }
}
