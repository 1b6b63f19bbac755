import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { losses } from '../../src/learning/loss.ts'
import { lossKinds } from '../../src/learning/training.ts'

describe('softmax-cross-entropy', () => {
  const loss = losses['softmax-cross-entropy']

  it('is the mean of minus the log of the softmax at the label', () => {
    const scores = Float32Array.of(1, 2, 4, 0, 0, 0)
    const first = -Math.log(Math.exp(2) / (Math.exp(1) + Math.exp(2) + Math.exp(4)))

    expect(loss(scores, Uint16Array.of(1, 2))).toBeCloseTo((first + Math.log(3)) / 2, 10)
  })

  it('stays finite for scores whose exponentials would not', () => {
    expect(loss(Float32Array.of(1000, 0), Uint16Array.of(1))).toBe(1000)
  })
})

describe('sigmoid-cross-entropy', () => {
  const loss = losses['sigmoid-cross-entropy']

  it('sums over the classes what each says about being the one, and takes the mean of the rows', () => {
    const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score))
    const first = -Math.log(1 - sigmoid(1)) - Math.log(sigmoid(2)) - Math.log(1 - sigmoid(4))

    const value = loss(Float32Array.of(1, 2, 4, 0, 0, 0), Uint16Array.of(1, 2))

    expect(value).toBeCloseTo((first + 3 * Math.log(2)) / 2, 10)
  })

  it('stays finite for scores whose exponentials would not', () => {
    expect(loss(Float32Array.of(1000, -500), Uint16Array.of(1))).toBe(1500)
  })
})

describe('mean-squared-error', () => {
  it('is the mean over rows and classes of the square of the distance to 1 or 0', () => {
    const scores = Float32Array.of(1, 2, 4, 0.5, 0, 0)

    const value = losses['mean-squared-error'](scores, Uint16Array.of(1, 2))

    expect(value).toBeCloseTo((1 + 1 + 16 + 0.25 + 0 + 1) / 6, 10)
  })
})

describe.each(lossKinds)('%s', (kind) => {
  const loss = losses[kind]

  it('is not finite when a score is not', () => {
    expect(loss(Float32Array.of(NaN, 0), Uint16Array.of(1))).toBeNaN()
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
        loss(scores, labels, slope)

        const at = (shift: number): number =>
          loss(
            scores.map((score, i) => (i === index ? score + shift : score)),
            labels
          )
        expect(slope[index]).toBeCloseTo((at(2 ** -7) - at(-(2 ** -7))) / 2 ** -6, 3)
      })
    )
  })

  it('refuses a label that is no class', () => {
    expect(() => loss(new Float32Array(6), Uint16Array.of(0, 3))).toThrow(
      'sample 1 has the label 3, but there are 3 classes'
    )
  })
})
