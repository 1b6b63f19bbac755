import { scratch, scratchStart, type Scratch } from './scratch.ts'

/** Elements at a time. */
const blockLength = 8192
const floatsAt = scratchStart
const codesAt = floatsAt + 4 * blockLength

/**
 * As IEEE binary16: to nearest, ties to even, subnormals kept, an infinity from 65,520 on. Relative
 * error at most 2⁻¹¹ from 2⁻¹⁴ up, absolute error at most 2⁻²⁵ below. Any NaN becomes 0x7e00.
 * @returns the bits, shape [n]
 */
export function toFloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  return encoded(values, ({ run }, count) => run.toFloat16(count, floatsAt, codesAt))
}

/** Every binary16 is a float32: exact. */
export function fromFloat16(codes: Uint16Array): Float32Array<ArrayBuffer> {
  return decoded(codes, ({ run }, count) => run.fromFloat16(count, codesAt, floatsAt))
}

/**
 * As bfloat16, the upper half of a float32: to nearest, ties to even. Relative error at most 2⁻⁹ of
 * normal numbers; the range is that of float32, whose largest numbers become an infinity. Any NaN
 * becomes 0x7fc0.
 * @returns the bits, shape [n]
 */
export function toBfloat16(values: Float32Array): Uint16Array<ArrayBuffer> {
  return encoded(values, ({ run }, count) => run.toBfloat16(count, floatsAt, codesAt))
}

/** Every bfloat16 is a float32: exact. */
export function fromBfloat16(codes: Uint16Array): Float32Array<ArrayBuffer> {
  return decoded(codes, ({ run }, count) => run.fromBfloat16(count, codesAt, floatsAt))
}

type Convert = (memory: Scratch, count: number) => void

function encoded(values: Float32Array, convert: Convert): Uint16Array<ArrayBuffer> {
  const memory = scratch()
  const codes = new Uint16Array(values.length)
  for (let start = 0; start < values.length; start += blockLength) {
    const count = Math.min(blockLength, values.length - start)
    memory.floats.set(values.subarray(start, start + count), floatsAt / 4)
    convert(memory, (count + 7) & ~7)
    codes.set(memory.halves.subarray(codesAt / 2, codesAt / 2 + count), start)
  }
  return codes
}

function decoded(codes: Uint16Array, convert: Convert): Float32Array<ArrayBuffer> {
  const memory = scratch()
  const values = new Float32Array(codes.length)
  for (let start = 0; start < codes.length; start += blockLength) {
    const count = Math.min(blockLength, codes.length - start)
    memory.halves.set(codes.subarray(start, start + count), codesAt / 2)
    convert(memory, (count + 7) & ~7)
    values.set(memory.floats.subarray(floatsAt / 4, floatsAt / 4 + count), start)
  }
  return values
}
