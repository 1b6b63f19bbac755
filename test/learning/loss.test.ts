import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { crossEntropy } from '../../src/learning/loss.ts'

describe('crossEntropy', () => {
  it('is the mean of minus the log of the softmax at the label', () => {
    const scores = Float32Array.of(1, 2, 4, 0, 0, 0)
    const first = -Math.log(Math.exp(2) / (Math.exp(1) + Math.exp(2) + Math.exp(4)))

    expect(crossEntropy(scores, Uint16Array.of(1, 2))).toBeCloseTo((first + Math.log(3)) / 2, 10)
  })

  it('stays finite for scores whose exponentials would not', () => {
    expect(crossEntropy(Float32Array.of(1000, 0), Uint16Array.of(1))).toBe(1000)
  })

  it('is not finite when a score is not', () => {
    expect(crossEntropy(Float32Array.of(NaN, 0), Uint16Array.of(1))).toBeNaN()
  })

  it('gives the slope that finite differences show', () => {
    const rows = fc.array(fc.double({ min: -5, max: 5, noNaN: true }), {
      minLength: 8,
      maxLength: 8
    })
    fc.assert(
      fc.property(rows, fc.nat(7), (values, index) => {
        const labels = Uint16Array.of(3, 1)
        const slope = new Float32Array(8)
        const scores = Float32Array.from(values)
        crossEntropy(scores, labels, slope)

        const at = (shift: number): number =>
          crossEntropy(
            scores.map((score, i) => (i === index ? score + shift : score)),
            labels
          )
        expect(slope[index]).toBeCloseTo((at(2 ** -7) - at(-(2 ** -7))) / 2 ** -6, 3)
      })
    )
  })

  it('refuses a label that is no class', () => {
    expect(() => crossEntropy(new Float32Array(6), Uint16Array.of(0, 3))).toThrow(
      'sample 1 has the label 3, but there are 3 classes'
    )
  })
})
