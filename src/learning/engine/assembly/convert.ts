import { at } from './simd'

/**
 * Floats in fewer bits, and back. src/learning/vectors/scalar-codes.ts says the same in plain words.
 * Bits are moved as integers, so that they are the same everywhere: any NaN becomes the one quiet NaN.
 */

const signBit: i32 = 0x80000000
const infinity: i32 = 0x7f800000

/**
 * IEEE binary16, to nearest, ties to even. Below the normal range, adding 1/2 moves the bits that are
 * kept to the end of the significand and lets the addition round: Giesen, "float_to_half_fast3_rtne".
 *
 * @param count - a multiple of eight, for all but the blockwise kernels
 */
export function toFloat16(count: i32, from: usize, to: usize): void {
  for (const end = at(from, count); from < end; from += 32) {
    v128.store(to, i16x8.narrow_i32x4_u(half4(v128.load(from)), half4(v128.load(from, 16))))
    to += 16
  }
}

function half4(x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(signBit))
  const bits = v128.xor(x, sign)
  const odd = v128.and(i32x4.shr_u(bits, 13), i32x4.splat(1))
  const rebased = i32x4.add(i32x4.add(bits, i32x4.splat(((15 - 127) << 23) + 0xfff)), odd)
  const normal = i32x4.shr_u(rebased, 13)
  const half = f32x4.splat(0.5)
  const small = i32x4.sub(f32x4.add(bits, half), half)
  const special = v128.bitselect(
    i32x4.splat(0x7e00),
    i32x4.splat(0x7c00),
    i32x4.gt_s(bits, i32x4.splat(infinity))
  )
  let code = v128.bitselect(small, normal, i32x4.lt_s(bits, i32x4.splat(113 << 23)))
  code = v128.bitselect(special, code, i32x4.ge_s(bits, i32x4.splat((127 + 16) << 23)))
  const isNumber = i32x4.le_s(bits, i32x4.splat(infinity))
  return v128.or(code, v128.and(i32x4.shr_u(sign, 16), isNumber))
}

export function fromFloat16(count: i32, from: usize, to: usize): void {
  for (const end = at(to, count); to < end; to += 32) {
    const codes = v128.load(from)
    v128.store(to, unhalf4(i32x4.extend_low_i16x8_u(codes)))
    v128.store(to, unhalf4(i32x4.extend_high_i16x8_u(codes)), 16)
    from += 16
  }
}

function unhalf4(code: v128): v128 {
  const sign = i32x4.shl(v128.and(code, i32x4.splat(0x8000)), 16)
  const moved = i32x4.shl(v128.and(code, i32x4.splat(0x7fff)), 13)
  const exponent = v128.and(moved, i32x4.splat(0x7c00 << 13))
  const rebased = i32x4.add(moved, i32x4.splat((127 - 15) << 23))
  const leastNormal = i32x4.splat(113 << 23)
  const small = f32x4.sub(i32x4.add(rebased, i32x4.splat(1 << 23)), leastNormal)
  const special = i32x4.add(rebased, i32x4.splat((128 - 16) << 23))
  let value = v128.bitselect(small, rebased, i32x4.eq(exponent, i32x4.splat(0)))
  value = v128.bitselect(special, value, i32x4.eq(exponent, i32x4.splat(0x7c00 << 13)))
  return v128.or(quietNaN(value), v128.and(sign, i32x4.le_s(value, i32x4.splat(infinity))))
}

/** The upper half of a float32, to nearest, ties to even. */
export function toBfloat16(count: i32, from: usize, to: usize): void {
  for (const end = at(from, count); from < end; from += 32) {
    v128.store(to, i16x8.narrow_i32x4_u(upper4(v128.load(from)), upper4(v128.load(from, 16))))
    to += 16
  }
}

function upper4(x: v128): v128 {
  const bits = v128.and(x, i32x4.splat(0x7fffffff))
  const odd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1))
  const rounded = i32x4.shr_u(i32x4.add(i32x4.add(x, i32x4.splat(0x7fff)), odd), 16)
  return v128.bitselect(i32x4.splat(0x7fc0), rounded, i32x4.gt_s(bits, i32x4.splat(infinity)))
}

export function fromBfloat16(count: i32, from: usize, to: usize): void {
  for (const end = at(to, count); to < end; to += 32) {
    const codes = v128.load(from)
    v128.store(to, widened4(i32x4.extend_low_i16x8_u(codes)))
    v128.store(to, widened4(i32x4.extend_high_i16x8_u(codes)), 16)
    from += 16
  }
}

function widened4(code: v128): v128 {
  const value = i32x4.shl(code, 16)
  const bits = v128.and(value, i32x4.splat(0x7fffffff))
  const isNaN = i32x4.gt_s(bits, i32x4.splat(infinity))
  return v128.bitselect(i32x4.splat(0x7fc00000), value, isNaN)
}

/** Of a float without its sign. */
function quietNaN(bits: v128): v128 {
  const isNaN = i32x4.gt_s(bits, i32x4.splat(infinity))
  return v128.bitselect(i32x4.splat(0x7fc00000), bits, isNaN)
}

/** Elements that share a scale. */
const blockLength: i32 = 64
/** The least normal float32: 2⁻¹²⁶. */
const scaleMin: f32 = 1.17549435e-38
/** 1 − 2⁻²⁴: what is rounded up at the end of the range must not decode to an infinity. */
const justBelowOne: f32 = 0.999999940395355224609375

/** 1.5 · 2²³ */
const wholes: f32 = 12582912
const wholesBits: i32 = 0x4b400000

/**
 * Blocks of 64 floats as whole numbers of steps, −127 to 127, one byte each.
 *
 * @param blocks - whole blocks; the last is padded with zeros
 * @param scales - float32, one a block: the step, or NaN when something in the block is not finite
 * @param first - the index of the first element, which its dice depend on
 * @param stochastic - 0: to the nearest code
 */
export function toInt8(
  blocks: i32,
  from: usize,
  to: usize,
  scales: usize,
  first: i32,
  stochastic: bool,
  seed: i32
): void {
  for (let block = 0; block < blocks; block++) {
    const inverse = scaleOf(from, 127, at(scales, block))
    for (let i = 0; i < blockLength; i += 16) {
      v128.store(to, codes16(from, inverse, 127, first, stochastic, seed))
      from += 64
      to += 16
      first += 16
    }
  }
}

/** As `toInt8`, −7 to 7, stored with 8 added, two in a byte, the first in its lower half. */
export function toInt4(
  blocks: i32,
  from: usize,
  to: usize,
  scales: usize,
  first: i32,
  stochastic: bool,
  seed: i32
): void {
  const eight = i8x16.splat(8)
  for (let block = 0; block < blocks; block++) {
    const inverse = scaleOf(from, 7, at(scales, block))
    for (let i = 0; i < blockLength; i += 32) {
      const a = codes16(from, inverse, 7, first, stochastic, seed)
      const b = codes16(from + 64, inverse, 7, first + 16, stochastic, seed)
      const low = pairs(i8x16.add(a, eight))
      const high = pairs(i8x16.add(b, eight))
      v128.store(to, i8x16.narrow_i16x8_u(low, high))
      from += 128
      to += 16
      first += 32
    }
  }
}

/** Sixteen bytes below 16 as eight lanes below 256. */
function pairs(codes: v128): v128 {
  const upper = v128.and(i16x8.shr_u(codes, 4), i16x8.splat(0xf0))
  return v128.or(v128.and(codes, i16x8.splat(0x0f)), upper)
}

/** Store a block's scale, the largest magnitude over the largest code. @returns 1 / scale, or 0 */
function scaleOf(from: usize, codeMax: f32, to: usize): v128 {
  let largest = f32x4.splat(0)
  for (const end = at(from, blockLength); from < end; from += 16) {
    largest = f32x4.max(largest, f32x4.abs(v128.load(from)))
  }
  let most = max<f32>(
    max<f32>(f32x4.extract_lane(largest, 0), f32x4.extract_lane(largest, 1)),
    max<f32>(f32x4.extract_lane(largest, 2), f32x4.extract_lane(largest, 3))
  )
  // An infinity becomes a NaN, and nothing else changes.
  most += most * 0
  let scale = most / codeMax
  if (scale < scaleMin) scale = 0
  if (scale * codeMax > f32.MAX_VALUE) scale *= justBelowOne
  store<f32>(to, scale)
  return f32x4.splat(scale > 0 ? 1 / scale : 0)
}

function codes16(
  from: usize,
  inverse: v128,
  codeMax: f32,
  first: i32,
  stochastic: bool,
  seed: i32
): v128 {
  const low = i16x8.narrow_i32x4_s(
    codes4(v128.load(from), inverse, codeMax, first, stochastic, seed),
    codes4(v128.load(from, 16), inverse, codeMax, first + 4, stochastic, seed)
  )
  const high = i16x8.narrow_i32x4_s(
    codes4(v128.load(from, 32), inverse, codeMax, first + 8, stochastic, seed),
    codes4(v128.load(from, 48), inverse, codeMax, first + 12, stochastic, seed)
  )
  return i8x16.narrow_i16x8_s(low, high)
}

function codes4(
  x: v128,
  inverse: v128,
  codeMax: f32,
  first: i32,
  stochastic: bool,
  seed: i32
): v128 {
  let steps = f32x4.mul(x, inverse)
  if (stochastic) {
    steps = f32x4.floor(f32x4.add(steps, dice4(first, seed)))
    steps = f32x4.max(f32x4.min(steps, f32x4.splat(codeMax)), f32x4.splat(-codeMax))
  }
  // From 2²³ on a float has no fraction: the addition rounds to even, and the last bits are the code.
  // What the division put above the largest code, by far less than a half, is gone with the fraction.
  return i32x4.sub(f32x4.add(steps, f32x4.splat(wholes)), i32x4.splat(wholesBits))
}

/**
 * Uniform among (j + ½) / 65536: so few that adding one to a number of steps below 128 is exact, and
 * a whole number of steps always stays as it is. A function of index and seed: the seed enters
 * between the multiplications of Wellons' lowbias32 (nullprogram.com/blog/2018/07/31).
 */
function dice4(first: i32, seed: i32): v128 {
  let x = i32x4.add(i32x4.splat(first), i32x4(0, 1, 2, 3))
  x = v128.xor(x, i32x4.shr_u(x, 16))
  x = i32x4.mul(x, i32x4.splat(0x7feb352d))
  x = v128.xor(v128.xor(x, i32x4.shr_u(x, 15)), i32x4.splat(seed))
  x = i32x4.mul(x, i32x4.splat(0x846ca68b))
  x = v128.xor(x, i32x4.shr_u(x, 16))
  const chance = f32x4.convert_i32x4_s(v128.and(x, i32x4.splat(0xffff)))
  return f32x4.mul(f32x4.add(chance, f32x4.splat(0.5)), f32x4.splat(1 / 65536))
}

/** Codes times their block's scale. */
export function fromInt8(blocks: i32, from: usize, scales: usize, to: usize): void {
  for (let block = 0; block < blocks; block++) {
    const scale = v128.load_splat<f32>(at(scales, block))
    for (let i = 0; i < blockLength; i += 16) {
      unpack16(v128.load(from), scale, to)
      from += 16
      to += 64
    }
  }
}

export function fromInt4(blocks: i32, from: usize, scales: usize, to: usize): void {
  const eight = i8x16.splat(8)
  for (let block = 0; block < blocks; block++) {
    const scale = v128.load_splat<f32>(at(scales, block))
    for (let i = 0; i < blockLength; i += 32) {
      const bytes = v128.load(from)
      const even = i8x16.sub(v128.and(bytes, i8x16.splat(0x0f)), eight)
      const odd = i8x16.sub(i8x16.shr_u(bytes, 4), eight)
      unpack16(interleavedLow(even, odd), scale, to)
      unpack16(interleavedHigh(even, odd), scale, to + 64)
      from += 16
      to += 128
    }
  }
}

// prettier-ignore
function interleavedLow(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
}

// prettier-ignore
function interleavedHigh(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
}

function unpack16(codes: v128, scale: v128, to: usize): void {
  const low = i16x8.extend_low_i8x16_s(codes)
  const high = i16x8.extend_high_i8x16_s(codes)
  v128.store(to, scaled4(i32x4.extend_low_i16x8_s(low), scale))
  v128.store(to, scaled4(i32x4.extend_high_i16x8_s(low), scale), 16)
  v128.store(to, scaled4(i32x4.extend_low_i16x8_s(high), scale), 32)
  v128.store(to, scaled4(i32x4.extend_high_i16x8_s(high), scale), 48)
}

function scaled4(codes: v128, scale: v128): v128 {
  return f32x4.mul(f32x4.convert_i32x4_s(codes), scale)
}
