import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { paceAt, power, type Schedule } from '../../src/learning/schedule.ts'

const paces = (schedule: Schedule | undefined, ...steps: number[]): number[] =>
  steps.map((step) => paceAt(schedule, step))

describe('paceAt', () => {
  it('is full without a schedule', () => {
    expect(paces(undefined, 0, 1e9)).toEqual([1, 1])
  })

  it('falls by a factor every so many steps', () => {
    const schedule: Schedule = { kind: 'step', everySteps: 10, factor: 0.5 }

    expect(paces(schedule, 0, 9, 10, 19, 20, 45)).toEqual([1, 1, 0.5, 0.5, 0.25, 0.0625])
  })

  it('falls along a line to its floor, and stays there', () => {
    const schedule: Schedule = { kind: 'linear', steps: 8, floor: 0.25, warmupSteps: 0 }

    expect(paces(schedule, 0, 2, 4, 8, 800)).toEqual([1, 0.8125, 0.625, 0.25, 0.25])
  })

  it('rises over the warm-up, which is among its steps', () => {
    const schedule: Schedule = { kind: 'linear', steps: 12, floor: 0, warmupSteps: 4 }

    expect(paces(schedule, 0, 1, 3, 4, 8, 12)).toEqual([0.25, 0.5, 1, 1, 0.5, 0])
  })

  it('ends at its floor when all of it is warm-up', () => {
    const schedule: Schedule = { kind: 'cosine', steps: 3, floor: 0.1, warmupSteps: 3 }

    expect(paceAt(schedule, 2)).toBe(1)
    expect(paceAt(schedule, 4)).toBeCloseTo(0.1, 9)
  })

  it('falls along half a cosine, to nine digits', () => {
    const steps = fc.integer({ min: 1, max: 100_000 })
    fc.assert(
      fc.property(
        steps,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(120_000),
        (...drawn) => {
          const [steps, floor, step] = drawn
          const share = Math.min(1, step / steps)
          const wanted = floor + ((1 - floor) * (1 + Math.cos(Math.PI * share))) / 2

          const pace = paceAt({ kind: 'cosine', steps, floor, warmupSteps: 0 }, step)

          expect(Math.abs(pace - wanted)).toBeLessThan(1e-9)
        }
      )
    )
  })
})

describe('power', () => {
  it('is ** for whole exponents', () => {
    const base = fc.double({ min: 0.5, max: 1, noNaN: true })
    fc.assert(
      fc.property(base, fc.nat(1_000), (base, exponent) => {
        const wanted = base ** exponent
        expect(Math.abs(power(base, exponent) - wanted)).toBeLessThanOrEqual(1e-12 * wanted)
      })
    )
  })

  it('is exact where ** is, and does not tire of large exponents', () => {
    expect([power(3, 0), power(3, 1), power(3, 7), power(0.5, 20)]).toEqual([1, 3, 2187, 2 ** -20])
    expect(power(0.999, 2 ** 40)).toBe(0)
  })
})
