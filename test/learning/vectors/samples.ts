import * as fc from 'fast-check'

/** Lengths beside whole lanes, blocks of a scale, and blocks of a kernel. */
const lengths = [0, 1, 3, 7, 8, 9, 63, 64, 65, 127, 1023, 1024, 4095, 4096, 4097, 8191, 8192, 8193]
export const length = fc.constantFrom(...lengths)
export const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 })

const largest = (2 - 2 ** -23) * 2 ** 127
const corners = [
  0,
  -0,
  1,
  -1,
  0.5,
  2 ** -126,
  2 ** -149,
  -(2 ** -149),
  2 ** -133,
  largest,
  -largest
]
const wild = [NaN, Infinity, -Infinity]

/** Every kind of finite float32, subnormal to largest: any bits, now and then a corner. */
export function anyFinite(length: number, seed: number): Float32Array {
  return drawn(length, seed, (bits) => (Number.isFinite(bits) ? bits : 0), corners)
}

/** The same with NaN and the infinities. */
export function anyFloats(length: number, seed: number): Float32Array {
  return drawn(length, seed, (bits) => bits, [...corners, ...wild])
}

/** Within [−1, 1), as parameters are. */
export function moderate(length: number, seed: number): Float32Array {
  const next = dice(seed)
  return Float32Array.from({ length }, () => next() / 2 ** 31 - 1)
}

function drawn(
  length: number,
  seed: number,
  allowed: (bits: number) => number,
  special: readonly number[]
): Float32Array {
  const next = dice(seed)
  const bits = new Uint32Array(1)
  const float = new Float32Array(bits.buffer)
  return Float32Array.from({ length }, () => {
    bits[0] = next()
    const kind = next()
    return kind % 5 === 0 ? special[(kind >>> 8) % special.length]! : allowed(float[0]!)
  })
}

/** 32 random bits at a time: xorshift, as quick as thousands of numbers for each run need it. */
function dice(seed: number): () => number {
  let x = (seed ^ 0x9e3779b9) | 1
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return x >>> 0
  }
}

/**
 * The first difference between two arrays, in words; empty when there is none. Zeros differ by sign, NaNs
 * do not differ: no standard says which one arithmetic gives.
 */
export function differenceOf(received: Numbers, expected: Numbers): string {
  if (received.length !== expected.length)
    return `${received.length} for ${expected.length} elements`
  const index = received.findIndex((value, i) => !Object.is(value, expected[i]))
  return index === -1 ? '' : `${shown(received[index])} for ${shown(expected[index])} at ${index}`
}

function shown(value: number | undefined): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

interface Numbers extends ArrayLike<number> {
  findIndex(is: (value: number, index: number) => boolean): number
}
