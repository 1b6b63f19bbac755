import { describe, expect, it } from 'vitest'
import { PaceWatch } from '../../peer/pace.ts'

const pace = { graceMs: 1000, bytesPerSecondMin: 100 }

describe('PaceWatch', () => {
  it('judges nobody before the grace is over', () => {
    expect(new PaceWatch(pace, 5000).isTooSlow(0, 5999)).toBe(false)
    expect(new PaceWatch(pace, 5000).isTooSlow(0, 6000)).toBe(true)
  })

  it('lets the slowest allowed go on for ever, and nobody slower', () => {
    const allowed = new PaceWatch(pace, 0)
    for (let s = 1; s <= 100; s++) expect(allowed.isTooSlow(100 * s, 1000 * s)).toBe(false)
    expect(new PaceWatch(pace, 0).isTooSlow(99, 1000)).toBe(true)
  })

  it('notices a stall after a burst', () => {
    const watch = new PaceWatch(pace, 0)
    expect(watch.isTooSlow(1_000_000, 1000)).toBe(false)
    expect(watch.isTooSlow(1_000_000, 2000)).toBe(true)
  })
})
