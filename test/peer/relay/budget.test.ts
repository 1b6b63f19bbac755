import { describe, expect, it } from 'vitest'
import { Budget } from '../../../peer/relay/budget.ts'
import { relayLimitDefaults } from '../../../peer/relay/limits.ts'

const day = 86_400_000

describe('the budget of a relay', () => {
  it('makes whoever is too fast wait until the pace is kept', () => {
    const budget = new Budget({ ...relayLimitDefaults, bytesPerSecond: 1_000 }, 0)
    expect(budget.spend(100, 0)).toBe(0) // the burst
    expect(budget.spend(500, 0)).toBe(500)
    expect(budget.spend(1, 500)).toBe(1) // waited, so only this one is owed
    expect(budget.spend(100, 100_000)).toBe(0) // what was not used is not saved up, but for the burst
    expect(budget.spend(100, 100_000)).toBe(100)
  })

  it('never makes anybody wait without a bound', () => {
    const budget = new Budget({ ...relayLimitDefaults, bytesPerSecond: Infinity }, 0)
    expect(budget.spend(1e12, 0)).toBe(0)
    expect(budget.spend(1e12, 0)).toBe(0)
    expect(budget.spend(1e12, 5)).toBe(0)
  })

  it('is spent at the bytes of a day, and new on the next', () => {
    const budget = new Budget({ ...relayLimitDefaults, bytesPerDay: 1_000 }, 0)
    budget.spend(999, 1)
    expect(budget.isSpent(1)).toBe(false)
    budget.spend(1, 2)
    expect(budget.isSpent(day - 1)).toBe(true)
    expect(budget.isSpent(day)).toBe(false)
    expect(budget.bytes).toBe(1_000)
  })
})
