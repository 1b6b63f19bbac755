import { describe, expect, it } from 'vitest'
import { RelayBook } from '../../../peer/nat/relay-book.ts'
import { relaysKnownMax } from '../../../src/core/limits.ts'

const options = { wanted: 2, pauseMs: 1_000, pauseMsMax: 60_000 }
const noChance = 1

function bookOf(...peers: string[]): RelayBook {
  const book = new RelayBook(options)
  for (const peer of peers) book.know(peer, 0)
  return book
}

describe('the book of relays', () => {
  it('offers one after another until enough are held', () => {
    const book = bookOf('a', 'b', 'c')
    const tried: string[] = []
    for (let next = book.next(); next !== undefined; next = book.next()) {
      tried.push(next.peer)
      book.hold(next.peer)
    }
    expect(tried).toEqual(['a', 'b'])
    expect(book.held).toEqual(['a', 'b'])
  })

  it('turns to another when one fails, and comes back ever later', () => {
    const book = bookOf('a', 'b')
    book.failed('a', 0, noChance)
    expect(book.next()?.peer).toBe('b')

    const alone = bookOf('a')
    const pauses = Array.from({ length: 8 }, () => {
      alone.failed('a', 0, noChance)
      return alone.next()?.notBeforeMs
    })
    expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000])
  })

  it('waits half as long at the least, by chance', () => {
    const book = bookOf('a')
    book.failed('a', 0, 0)
    expect(book.next()?.notBeforeMs).toBe(500)
  })

  it('tries one that is seen again soon, but cannot be made to try all the time', () => {
    const book = bookOf('a')
    for (let times = 0; times < 6; times++) book.failed('a', 0, noChance)
    book.know('a', 5_000)
    expect(book.next()?.notBeforeMs).toBe(6_000)
  })

  it('replaces one that it lost', () => {
    const book = bookOf('a', 'b', 'c')
    book.hold('a')
    book.hold('b')
    book.failed('a', 0, noChance)
    expect(book.next()?.peer).toBe('c')
  })

  it('has places for those that the user named, whoever was quicker', () => {
    const book = bookOf('x', 'y')
    book.hold('x')
    book.hold('y')
    book.know('z', 0)
    expect(book.next()).toBeUndefined()
    book.know('named', 0, true)
    expect(book.next()?.peer).toBe('named')
  })

  it('is bounded: of a flood of relays, what is held and what the user named stays', () => {
    const book = bookOf('held')
    book.hold('held')
    book.know('named', 0, true)
    for (let index = 0; index < 1_000; index++) book.know(`flood-${index}`, 0)
    book.hold('named')
    expect(book.held).toEqual(['held', 'named'])
    expect(book.size).toBeLessThanOrEqual(relaysKnownMax)
  })
})
