import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Conduct } from '../../protocols/conduct.ts'

const minuteMs = 60_000

describe('conduct', () => {
  it('bans for half an hour after three malformed frames in a row, and then forgives', () => {
    const conduct = new Conduct()
    expect(conduct.report('eve', 'malformed', 0)).toBeUndefined()
    expect(conduct.report('eve', 'malformed', 0)).toBeUndefined()
    expect(conduct.report('eve', 'malformed', 0)).toBe(30 * minuteMs)
    expect(conduct.isBanned('eve', 29 * minuteMs)).toBe(true)
    expect(conduct.isBanned('eve', 31 * minuteMs)).toBe(false)
    expect(conduct.report('eve', 'malformed', 31 * minuteMs)).toBeUndefined()
  })

  it('forgets half of it in ten minutes: one malformed frame an hour is no reason', () => {
    const conduct = new Conduct()
    for (let hour = 0; hour < 100; hour++) {
      expect(conduct.report('eve', 'malformed', hour * 60 * minuteMs)).toBeUndefined()
    }
  })

  it('never bans for what bad weather does, however often', () => {
    const weather = fc.constantFrom('stale', 'future', 'full', 'unintroduced' as const)
    fc.assert(
      fc.property(fc.array(weather, { minLength: 100, maxLength: 300 }), (rejections) => {
        const conduct = new Conduct()
        for (const rejection of rejections) {
          expect(conduct.report('ana', rejection, 0)).toBeUndefined()
        }
      })
    )
  })

  it('keeps the worst records when strangers come by the thousand', () => {
    const conduct = new Conduct()
    for (let i = 0; i < 3; i++) conduct.report('eve', 'digest', 0)
    for (let i = 0; i < 20_000; i++) conduct.report(`stranger-${i}`, 'unexpected', 1)
    expect(conduct.isBanned('eve', 2)).toBe(true)
  })
})
