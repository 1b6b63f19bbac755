/**
 * What the kernels of src/learning/engine/assembly/convert.ts compute, one number at a time: the
 * definition that tests hold them to, bit for bit.
 */

const bits = new Uint32Array(1)
const float = new Float32Array(bits.buffer)

/** To the nearest whole number, ties to even; |x| below 2⁵¹. */
function toEven(x: number): number {
  const wholes = 1.5 * 2 ** 52 // from here on a double has no fraction
  return x + wholes - wholes
}

/** The exponent of the leading bit of a positive normal float32. */
function exponentOf(x: number): number {
  float[0] = x
  return ((bits[0] as number) >>> 23) - 127
}

/** See `toFloat16`: a whole number of steps of the binade that the number is in. */
export function float16Of(x: number): number {
  if (Number.isNaN(x)) return 0x7e00
  const sign = Object.is(Math.sign(x), -0) || x < 0 ? 0x8000 : 0
  const size = Math.abs(x)
  if (size >= 65_520) return sign | 0x7c00
  const exponent = Math.max(-14, exponentOf(size))
  // Ten bits follow the leading one; the exponent's bits begin right above, and take its carry.
  return sign | (((exponent + 14) << 10) + toEven(size / 2 ** (exponent - 10)))
}

/** See `fromFloat16`. */
export function fromFloat16Scalar(code: number): number {
  const exponent = (code >>> 10) & 0x1f
  const fraction = code & 0x3ff
  const sign = code & 0x8000 ? -1 : 1
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN
  if (exponent === 0) return sign * fraction * 2 ** -24
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** See `toBfloat16`. */
export function bfloat16Of(x: number): number {
  if (Number.isNaN(x)) return 0x7fc0
  float[0] = x
  const upper = (bits[0] as number) >>> 16
  const lower = (bits[0] as number) & 0xffff
  const isUp = lower > 0x8000 || (lower === 0x8000 && (upper & 1) === 1)
  return isUp ? upper + 1 : upper
}

/** See `fromBfloat16`. */
export function fromBfloat16Scalar(code: number): number {
  bits[0] = code << 16
  return float[0] as number
}

/** The step between codes for a block, see `Quantised`. NaN when something in it is not finite. */
export function scaleOf(block: Float32Array, codeMax: number): number {
  const largest = block.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  if (!Number.isFinite(largest)) return NaN
  const scale = Math.fround(largest / codeMax)
  if (scale < 2 ** -126) return 0
  // What is rounded up at the end of the range must not decode to an infinity.
  const isTooLarge = Math.fround(scale * codeMax) === Infinity
  return isTooLarge ? Math.fround(scale * (1 - 2 ** -24)) : scale
}

/**
 * The code of one number, see `Quantised`.
 * @param dice - within [0, 1), or undefined for the nearest code
 */
export function codeOf(x: number, scale: number, codeMax: number, dice?: number): number {
  const inverse = scale > 0 ? Math.fround(1 / scale) : 0
  const steps = Math.fround(x * inverse)
  const whole = dice === undefined ? toEven(steps) : Math.floor(Math.fround(steps + dice))
  return Math.max(-codeMax, Math.min(codeMax, whole))
}

/**
 * Uniform among (j + ½) / 65536: so few that adding one to a number of steps below 128 is exact enough
 * for a whole number to stay as it is.
 * @param seed - `mixed`
 */
export function diceOf(index: number, seed: number): number {
  let x = Math.imul(index ^ (index >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15) ^ seed, 0x846ca68b)
  return (((x ^ (x >>> 16)) & 0xffff) + 0.5) / 65_536
}

/** Any integer as 32 bits that differ in about half of them from those of its neighbours: lowbias32. */
export function mixed(seed: number): number {
  let x = Math.imul(seed ^ (seed >>> 16), 0x7feb352d)
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b)
  return x ^ (x >>> 16)
}
