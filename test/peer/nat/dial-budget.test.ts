import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DialBudget } from '../../../peer/nat/dial-budget.ts'

describe('a budget for dials', () => {
  it('allows a minute of dials at once, then as many as time earns', () => {
    let nowMs = 0
    const budget = new DialBudget(60, () => nowMs)
    const takeAll = () => {
      let taken = 0
      while (budget.take()) taken++
      return taken
    }

    expect(takeAll()).toBe(60)
    nowMs += 2_500
    expect(takeAll()).toBe(2)
    nowMs += 3_600_000
    expect(takeAll()).toBe(60)
    expect(budget.counts).toEqual({ made: 122, refused: 3 })
  })

  it('never allows more than two minutes of dials within one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2_000), { minLength: 1, maxLength: 400 }), (steps) => {
        let nowMs = 0
        const budget = new DialBudget(20, () => nowMs)
        const taken: number[] = []
        for (const step of steps) {
          nowMs += step
          if (budget.take()) taken.push(nowMs)
        }
        for (const sinceMs of taken) {
          const within = taken.filter((ms) => ms >= sinceMs && ms < sinceMs + 60_000)
          expect(within.length).toBeLessThanOrEqual(40)
        }
      })
    )
  })

  it('has no bound when it is infinite', () => {
    const budget = new DialBudget(Infinity, () => 0)
    expect(Array.from({ length: 10_000 }, () => budget.take()).every(Boolean)).toBe(true)
  })
})
