import { StarlingError } from '../../core/errors.ts'
import { mixed } from './scalar-codes.ts'
import { scratch, scratchStart } from './scratch.ts'

/**
 * Vectors as small whole numbers: blocks of 64 elements share a scale, the step between two codes.
 *
 *     scale = max |x| / codeMax,  code = x / scale rounded,  decoded = code · scale
 *
 * Scales are float32, not float16: the change of a parameter in a round is often below 10⁻⁵, a 127th of
 * which float16 does not hold. That costs 2 bytes in 64 of int8, 2 in 32 of int4.
 *
 * Errors, in scales: at most ½ to the nearest code, at most 1 (and 0 on average) by dice, both times
 * 1 + 2⁻¹⁵ for what the arithmetic in float32 adds. A block whose scale would be below 2⁻¹²⁶, the least
 * normal float32, becomes zeros.
 */
export interface Quantised<Codes> {
  /** Shape [⌈n / 64⌉]. */
  readonly scales: Float32Array
  readonly codes: Codes
  /** n. */
  readonly length: number
}

/** −127 to 127, shape [n]. */
export type Quantised8 = Quantised<Int8Array>
/** −7 to 7 with 8 added, shape [⌈n / 2⌉]: the first of two in the lower half of a byte. */
export type Quantised4 = Quantised<Uint8Array>

/**
 * Which of the two codes beside a number it becomes: the nearest (ties to even), or by dice, so that it
 * is right on average. Dice are a function of the seed, an integer, and of an element's index.
 */
export type Rounding = 'nearest' | { readonly seed: number }

/** Elements that share a scale. */
export const quantisedBlock = 64

/** Elements at a time: whole blocks. */
const chunkLength = 8192
const chunkBlocks = chunkLength / quantisedBlock
const scalesAt = scratchStart
const codesAt = scalesAt + 4 * chunkBlocks
const floatsAt = codesAt + chunkLength

/**
 * @param values - shape [n], finite
 * @throws STARLING_NOT_FINITE when a value is not
 */
export function quantise8(values: Float32Array, rounding: Rounding = 'nearest'): Quantised8 {
  const codes = new Int8Array(values.length)
  const scales = quantised(values, rounding, 'toInt8', new Uint8Array(codes.buffer))
  return { scales, codes, length: values.length }
}

/** As `quantise8`, in half the bytes and an eighteenth of the precision. */
export function quantise4(values: Float32Array, rounding: Rounding = 'nearest'): Quantised4 {
  const codes = new Uint8Array(Math.ceil(values.length / 2))
  const scales = quantised(values, rounding, 'toInt4', codes)
  return { scales, codes, length: values.length }
}

/**
 * @returns a new array of shape [n]; finite when the scales are those of `quantise8`
 * @throws STARLING_SHAPE_MISMATCH when there are not as many codes and scales as n takes
 */
export function dequantise8({ scales, codes, length }: Quantised8): Float32Array<ArrayBuffer> {
  expectCounts(scales.length, codes.length, length, length)
  const bytes = new Uint8Array(codes.buffer, codes.byteOffset, codes.length)
  return dequantised(scales, bytes, length, 'fromInt8')
}

/** As `dequantise8`. */
export function dequantise4({ scales, codes, length }: Quantised4): Float32Array<ArrayBuffer> {
  expectCounts(scales.length, codes.length, length, Math.ceil(length / 2))
  return dequantised(scales, codes, length, 'fromInt4')
}

function quantised(
  values: Float32Array,
  rounding: Rounding,
  kernel: 'toInt8' | 'toInt4',
  codes: Uint8Array
): Float32Array<ArrayBuffer> {
  const { floats, bytes, run } = scratch()
  const scales = new Float32Array(Math.ceil(values.length / quantisedBlock))
  const isStochastic = rounding === 'nearest' ? 0 : 1
  const seed = rounding === 'nearest' ? 0 : mixed(rounding.seed)
  const codesPerByte = kernel === 'toInt8' ? 1 : 2
  for (let start = 0; start < values.length; start += chunkLength) {
    const count = Math.min(chunkLength, values.length - start)
    const blocks = Math.ceil(count / quantisedBlock)
    floats.set(values.subarray(start, start + count), floatsAt / 4)
    floats.fill(0, floatsAt / 4 + count, floatsAt / 4 + blocks * quantisedBlock)
    run[kernel](blocks, floatsAt, codesAt, scalesAt, start, isStochastic, seed)
    const codeBytes = Math.ceil(count / codesPerByte)
    codes.set(bytes.subarray(codesAt, codesAt + codeBytes), start / codesPerByte)
    scales.set(floats.subarray(scalesAt / 4, scalesAt / 4 + blocks), start / quantisedBlock)
  }
  expectFinite(values, scales)
  return scales
}

function dequantised(
  scales: Float32Array,
  codes: Uint8Array,
  length: number,
  kernel: 'fromInt8' | 'fromInt4'
): Float32Array<ArrayBuffer> {
  const { floats, bytes, run } = scratch()
  const values = new Float32Array(length)
  const codesPerByte = kernel === 'fromInt8' ? 1 : 2
  for (let start = 0; start < length; start += chunkLength) {
    const count = Math.min(chunkLength, length - start)
    const blocks = Math.ceil(count / quantisedBlock)
    const firstByte = start / codesPerByte
    const firstBlock = start / quantisedBlock
    bytes.set(codes.subarray(firstByte, firstByte + Math.ceil(count / codesPerByte)), codesAt)
    floats.set(scales.subarray(firstBlock, firstBlock + blocks), scalesAt / 4)
    run[kernel](blocks, codesAt, scalesAt, floatsAt)
    values.set(floats.subarray(floatsAt / 4, floatsAt / 4 + count), start)
  }
  return values
}

function expectFinite(values: Float32Array, scales: Float32Array): void {
  const block = scales.findIndex(Number.isNaN)
  if (block === -1) return
  const first = block * quantisedBlock
  const index = first + values.subarray(first).findIndex((value) => !Number.isFinite(value))
  throw new StarlingError(
    'STARLING_NOT_FINITE',
    `value ${index} is ${values[index]}, which no scale holds; quantise finite numbers`,
    { index }
  )
}

function expectCounts(scales: number, codes: number, length: number, codesExpected: number): void {
  const scalesExpected = Math.ceil(length / quantisedBlock)
  if (scales === scalesExpected && codes === codesExpected) return
  throw new StarlingError(
    'STARLING_SHAPE_MISMATCH',
    `${length} quantised elements take ${scalesExpected} scales and ${codesExpected} bytes of codes, ` +
      `here are ${scales} and ${codes}`,
    { length, scales, codes }
  )
}
