import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { correlations, type Matrix } from '../../../src/learning/vectors/vectors.ts'
import { moderate, seed } from './samples.ts'

const matrix = (columns: number, ...values: number[]): Matrix => ({
  columns,
  values: Float32Array.from(values)
})

/** The formula, in double precision. */
function byFormula(a: Matrix, b: Matrix): Float32Array {
  const samples = a.values.length / a.columns
  const columnsOf = ({ values, columns }: Matrix): number[][] =>
    Array.from({ length: columns }, (_, j) => {
      const column = Array.from({ length: samples }, (_, s) => values[s * columns + j]!)
      const mean = column.reduce((sum, value) => sum + value, 0) / samples
      return column.map((value) => value - mean)
    })
  const dot = (x: number[], y: number[]): number => x.reduce((sum, v, s) => sum + v * y[s]!, 0)
  const columnsOfB = columnsOf(b)
  return Float32Array.from(
    columnsOf(a).flatMap((x) =>
      columnsOfB.map((y) => {
        const scale = Math.sqrt(dot(x, x) * dot(y, y))
        return scale === 0 ? 0 : dot(x, y) / scale
      })
    )
  )
}

const largestDifference = (x: Float32Array, y: Float32Array): number =>
  x.reduce((most, value, index) => Math.max(most, Math.abs(value - y[index]!)), 0)

describe('correlations', () => {
  it('are those of the formula, for any shapes', () => {
    const side = fc.integer({ min: 1, max: 20 })
    fc.assert(
      fc.property(side, side, fc.integer({ min: 1, max: 70 }), seed, (n, m, samples, dice) => {
        const a = { columns: n, values: moderate(samples * n, dice) }
        const b = { columns: m, values: moderate(samples * m, dice + 1) }
        expect(largestDifference(correlations(a, b), byFormula(a, b))).toBeLessThan(1e-5)
      })
    )
  })

  it('are put together from blocks of columns and of samples', () => {
    const samples = 600
    const a = { columns: 259, values: moderate(samples * 259, 1) }
    const b = { columns: 515, values: moderate(samples * 515, 2) }
    const product = correlations(a, b)
    for (const j of [0, 255, 256, 511, 512, 514]) {
      const column = Float32Array.from({ length: samples }, (_, s) => b.values[s * 515 + j]!)
      const received = Float32Array.from({ length: 259 }, (_, i) => product[i * 515 + j]!)
      const expected = byFormula(a, { columns: 1, values: column })
      expect(largestDifference(received, expected)).toBeLessThan(1e-5)
    }
  })

  it('do not mind large means and other units', () => {
    const a = matrix(1, 1, 2, 4)
    const moved = matrix(1, 1e6 + 10, 1e6 + 20, 1e6 + 40)
    expect(correlations(a, moved)[0]).toBeCloseTo(1, 6)
    expect(correlations(a, matrix(1, -1, -2, -4))[0]).toBeCloseTo(-1, 6)
  })

  it('with a column that does not vary are zero', () => {
    const constant = { columns: 2, values: Float32Array.of(0.1, 1, 0.1, 2, 0.1, 4) }
    expect(correlations(constant, constant).slice(0, 3)).toEqual(Float32Array.of(0, 0, 0))
    expect(correlations(matrix(1, 5), matrix(1, 7))).toEqual(Float32Array.of(0))
  })

  it('never leave [−1, 1]', () => {
    const a = { columns: 40, values: moderate(40 * 33, 5) }
    expect(correlations(a, a).every((r) => r >= -1 && r <= 1)).toBe(true)
  })

  it('name the shapes that do not fit', () => {
    const mismatch = expect.objectContaining({ code: 'STARLING_SHAPE_MISMATCH' }) as Error
    expect(() => correlations(matrix(1, 1, 2), matrix(1, 1, 2, 3))).toThrow(/A has 2 rows/)
    expect(() => correlations(matrix(2, 1, 2, 3), matrix(1, 1))).toThrow(/3 elements of A/)
    expect(() => correlations(matrix(1), matrix(1))).toThrow(mismatch)
    expect(() => correlations(matrix(0), matrix(1, 1))).toThrow(mismatch)
  })
})
