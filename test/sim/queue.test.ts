import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventQueue } from '../../sim/queue.ts'

describe('the event queue', () => {
  it('takes events by time, and equal times in order of arrival', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), (times) => {
        const queue = new EventQueue<{ atMs: number; order: number }>()
        for (const [order, atMs] of times.entries()) queue.push(atMs, { atMs, order })

        const taken = times.map(() => queue.take())
        const sorted = times
          .map((atMs, order) => ({ atMs, order }))
          .sort((a, b) => a.atMs - b.atMs || a.order - b.order)
        expect(taken).toEqual(sorted)
        expect(queue.take()).toBeUndefined()
      })
    )
  })

  it('counts delays from the event that was taken last', () => {
    const queue = new EventQueue<string>()
    queue.push(30, 'first')
    queue.take()
    queue.push(5, 'second')

    expect(queue.peekMs()).toBe(35)
    expect(queue.take()).toBe('second')
    expect(queue.nowMs).toBe(35)
  })

  it('refuses what is due in the past or never', () => {
    const queue = new EventQueue<string>()
    expect(() => queue.push(-1, 'late')).toThrow('an event is due at a time to come')
    expect(() => queue.push(NaN, 'never')).toThrow('an event is due at a time to come')
  })
})
