import { describe, expect, it } from 'vitest'
import { Driver } from '../../src/core/driver.ts'

type Input = 'ping' | 'pong'

describe('a driver', () => {
  it('performs effects in order, and hands over what they cause only afterwards', () => {
    const seen: string[] = []
    const driver: Driver<Input, string> = new Driver<Input, string>(
      {
        handle(input) {
          seen.push(`in ${input}`)
          return input === 'ping' ? ['a', 'b'] : []
        }
      },
      {
        nowMs: () => 0,
        perform(effect) {
          seen.push(`do ${effect}`)
          if (effect === 'a') driver.deliver('pong') // a body that answers at once
        }
      }
    )
    driver.deliver('ping')

    expect(seen).toEqual(['in ping', 'do a', 'do b', 'in pong'])
  })

  it('hands over the time of the body', () => {
    const times: number[] = []
    let nowMs = 5
    const machine = { handle: (_: Input, atMs: number): string[] => (times.push(atMs), []) }
    const driver = new Driver(machine, { nowMs: () => nowMs, perform: () => undefined })
    driver.deliver('ping')
    nowMs = 9
    driver.deliver('ping')
    expect(times).toEqual([5, 9])
  })

  it('reaches nobody once stopped, not even with effects of the same input', () => {
    const done: string[] = []
    const driver: Driver<Input, string> = new Driver<Input, string>(
      { handle: () => ['stop', 'never'] },
      {
        nowMs: () => 0,
        perform(effect) {
          done.push(effect)
          driver.stop()
        }
      }
    )
    driver.deliver('ping')
    driver.deliver('ping')
    expect(done).toEqual(['stop'])
  })

  it('works on after a machine that threw', () => {
    let handled = 0
    const driver = new Driver<Input, string>(
      {
        handle(input) {
          handled++
          if (input === 'ping') throw new Error('our bug')
          return []
        }
      },
      { nowMs: () => 0, perform: () => undefined }
    )
    expect(() => driver.deliver('ping')).toThrow('our bug')
    driver.deliver('pong')
    expect(handled).toBe(2)
  })
})
