import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as scalar from '../../../src/learning/vectors/scalar-codes.ts'
import {
  dequantise4,
  dequantise8,
  fromBfloat16,
  fromFloat16,
  quantise4,
  quantise8,
  quantisedBlock,
  toBfloat16,
  toFloat16,
  type Rounding
} from '../../../src/learning/vectors/vectors.ts'
import { anyFinite, anyFloats, differenceOf, length, moderate, seed } from './samples.ts'

const allCodes = Uint16Array.from({ length: 65_536 }, (_, code) => code)

/** Floats exactly between two codes, and their neighbours on both sides. */
function around(codes: Float32Array): Float32Array {
  const bits = new Int32Array(codes.slice().buffer)
  const middles = bits.slice(0, -1).map((code, index) => (code + bits[index + 1]!) >> 1)
  const near = [...middles].flatMap((middle) => [middle - 1, middle, middle + 1])
  return new Float32Array(Int32Array.from(near).buffer)
}

describe('float16', () => {
  it('has the bits of its definition, for any floats and lengths', () => {
    fc.assert(
      fc.property(length, seed, fc.boolean(), (n, dice, isModerate) => {
        const values = isModerate ? moderate(n, dice) : anyFloats(n, dice)
        expect(differenceOf(toFloat16(values), Uint16Array.from(values, scalar.float16Of))).toBe('')
      })
    )
  })

  it('gives every code back, and reads each as its definition does', () => {
    const values = fromFloat16(allCodes)
    expect(
      differenceOf(
        values,
        Float32Array.from(allCodes, (code) => scalar.fromFloat16Scalar(code))
      )
    ).toBe('')
    const isNaN = (code: number): boolean => (code & 0x7fff) > 0x7c00
    expect(
      differenceOf(
        toFloat16(values),
        allCodes.map((code) => (isNaN(code) ? 0x7e00 : code))
      )
    ).toBe('')
  })

  it('rounds as DataView does, in the middle between any two codes and beside it', () => {
    const view = new DataView(new ArrayBuffer(2)) as DataView & {
      setFloat16?: (offset: number, value: number) => void
    }
    if (view.setFloat16 === undefined) return // Node.js 22 does not have it yet
    const values = around(fromFloat16(allCodes.subarray(0, 0x7c00)))
    const codes = Array.from(values, (value) => {
      view.setFloat16?.(0, value)
      return view.getUint16(0)
    })
    expect(differenceOf(toFloat16(values), Uint16Array.from(codes))).toBe('')
  })

  it('becomes infinite where it must, and not before', () => {
    const values = Float32Array.of(65_504, 65_519.996, 65_520, -65_520, 1e38, 2 ** -25, 2 ** -24)
    expect(fromFloat16(toFloat16(values))).toEqual(
      Float32Array.of(65_504, 65_504, Infinity, -Infinity, Infinity, 0, 2 ** -24)
    )
  })
})

describe('bfloat16', () => {
  it('has the bits of its definition, for any floats and lengths', () => {
    fc.assert(
      fc.property(length, seed, (n, dice) => {
        const values = anyFloats(n, dice)
        expect(differenceOf(toBfloat16(values), Uint16Array.from(values, scalar.bfloat16Of))).toBe(
          ''
        )
      })
    )
  })

  it('gives every code back, and reads each as its definition does', () => {
    const values = fromBfloat16(allCodes)
    expect(
      differenceOf(
        values,
        Float32Array.from(allCodes, (code) => scalar.fromBfloat16Scalar(code))
      )
    ).toBe('')
    const isNaN = (code: number): boolean => (code & 0x7fff) > 0x7f80
    expect(
      differenceOf(
        toBfloat16(values),
        allCodes.map((code) => (isNaN(code) ? 0x7fc0 : code))
      )
    ).toBe('')
  })

  it('rounds to the nearest, ties to even', () => {
    const up = Float32Array.of(1 + 2 ** -8, 1 + 3 * 2 ** -8, 1 + 2 ** -8 + 2 ** -20, -3.39e38)
    expect(fromBfloat16(toBfloat16(up))).toEqual(
      Float32Array.of(1, 1 + 2 ** -6, 1 + 2 ** -7, -(2 ** 128 - 2 ** 120))
    )
    expect(fromBfloat16(toBfloat16(Float32Array.of(3.4e38)))[0]).toBe(Infinity)
  })
})

const widths = [
  { name: 'int8', codeMax: 127, quantise: quantise8, decode: dequantise8 },
  { name: 'int4', codeMax: 7, quantise: quantise4, decode: dequantise4 }
] as const
const rounding = fc.oneof(fc.constant('nearest' as const), fc.record({ seed: fc.integer() }))
const diceOf = (rounding: Rounding, index: number): number | undefined =>
  rounding === 'nearest' ? undefined : scalar.diceOf(index, scalar.mixed(rounding.seed))

describe.each(widths)('$name', ({ name, codeMax, quantise, decode }) => {
  /** What the kernel must decode to, and the scale of each element. */
  function expected(values: Float32Array, rounding: Rounding) {
    const scales = Float32Array.from(
      { length: Math.ceil(values.length / quantisedBlock) },
      (_, block) =>
        scalar.scaleOf(
          values.subarray(block * quantisedBlock, (block + 1) * quantisedBlock),
          codeMax
        )
    )
    const scaleAt = (index: number): number => scales[Math.floor(index / quantisedBlock)]!
    const decoded = values.map(
      (value, index) =>
        scalar.codeOf(value, scaleAt(index), codeMax, diceOf(rounding, index)) * scaleAt(index)
    )
    return { scales, scaleAt, decoded }
  }

  const roundTrip = (values: Float32Array, how: Rounding): Float32Array =>
    name === 'int8' ? dequantise8(quantise8(values, how)) : dequantise4(quantise4(values, how))

  it('has the bits of its definition, for any finite floats and lengths', () => {
    fc.assert(
      fc.property(length, seed, fc.boolean(), rounding, (n, dice, isModerate, how) => {
        const values = isModerate ? moderate(n, dice) : anyFinite(n, dice)
        const { scales, decoded } = expected(values, how)
        expect(differenceOf(quantise(values, how).scales, scales)).toBe('')
        // Codes are whole numbers, of which there is one zero.
        expect(
          differenceOf(
            roundTrip(values, how),
            decoded.map((value) => value + 0)
          )
        ).toBe('')
      })
    )
  })

  it('errs by half a scale to the nearest, by less than one by dice', () => {
    fc.assert(
      fc.property(length, seed, fc.boolean(), rounding, (n, dice, isModerate, how) => {
        const values = isModerate ? moderate(n, dice) : anyFinite(n, dice)
        const { scaleAt } = expected(values, how)
        const steps = (how === 'nearest' ? 0.5 : 1) * (1 + 2 ** -15)
        const wrong = roundTrip(values, how).findIndex((value, index) => {
          // What is too small for a scale becomes zero.
          const bound = Math.max(steps * scaleAt(index), codeMax * 2 ** -126)
          return !(Math.abs(value - values[index]!) <= bound)
        })
        expect(wrong).toBe(-1)
      })
    )
  })

  it('is right on average by dice, which the nearest code is not', () => {
    const values = new Float32Array(64 * 4000).fill(0.3)
    for (let i = 0; i < values.length; i += 64) values[i] = codeMax
    const meanOf = (how: Rounding): number => {
      const decoded = roundTrip(values, how).filter((_, index) => index % 64 !== 0)
      return decoded.reduce((sum, value) => sum + value, 0) / decoded.length
    }
    expect(meanOf('nearest')).toBe(0)
    for (const dice of [0, 1, 2]) expect(Math.abs(meanOf({ seed: dice }) - 0.3)).toBeLessThan(0.004)
  })

  it('throws other dice for another seed, and the same for the same', () => {
    const values = moderate(10_000, 1)
    const one = roundTrip(values, { seed: 1 })
    const two = roundTrip(values, { seed: 2 })
    expect(differenceOf(roundTrip(values, { seed: 1 }), one)).toBe('')
    const differing = one.filter((value, index) => value !== two[index]).length
    // Two throws round a fraction f differently with chance 2 f (1 − f), which is 1/3 on average.
    expect(differing).toBeGreaterThan(3000)
    expect(differing).toBeLessThan(3700)
  })

  it('keeps whole steps as they are, by dice too', () => {
    const values = Float32Array.from({ length: 64 }, (_, i) => (i % (2 * codeMax + 1)) - codeMax)
    values[0] = codeMax
    expect(roundTrip(values, { seed: 7 })).toEqual(values)
    expect(roundTrip(values, 'nearest')).toEqual(values)
  })

  it('refuses what is not finite, and says where', () => {
    for (const wild of [NaN, Infinity, -Infinity]) {
      const values = moderate(200, 1)
      values[130] = wild
      expect(() => quantise(values)).toThrow(
        expect.objectContaining({
          code: 'STARLING_NOT_FINITE',
          details: { index: 130 }
        })
      )
    }
  })

  it('refuses codes that are not as many as the length takes', () => {
    const { scales, codes } = quantise(moderate(65, 1))
    const mismatch = expect.objectContaining({ code: 'STARLING_SHAPE_MISMATCH' }) as Error
    expect(() => decode({ scales, codes, length: 63 } as never)).toThrow(mismatch)
    expect(() => decode({ scales, codes, length: 67 } as never)).toThrow(mismatch)
    expect(() => decode({ scales: scales.subarray(1), codes, length: 65 } as never)).toThrow(
      mismatch
    )
  })
})

describe('int4', () => {
  it('stores two codes a byte, the first below', () => {
    const { codes, scales } = quantise4(Float32Array.of(7, -7, 1))
    expect(scales).toEqual(Float32Array.of(1))
    expect(codes).toEqual(Uint8Array.of(0x1f, 0x89))
  })
})
