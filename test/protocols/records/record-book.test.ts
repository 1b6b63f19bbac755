import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  contactsMax,
  contactsPerTellerMax,
  recordSecondsMax,
  recordsPerMessageMax
} from '../../../src/core/limits.ts'
import { RecordBook } from '../../../protocols/records/record-book.ts'
import type { SignedRecord } from '../../../protocols/records/record.ts'
import { recordOf } from '../../records.ts'

const nobody = (): boolean => false
const everybody = (): boolean => true
const expiryMs = recordSecondsMax * 1_000

function peersOf(book: RecordBook): string[] {
  return [...book.entries].map(({ peer }) => peer)
}

function aliveIn(book: RecordBook, nowMs: number): string[] {
  return [...book.entries].filter((entry) => book.isAlive(entry, nowMs)).map(({ peer }) => peer)
}

describe('the newest record of each peer', () => {
  const versions = fc
    .record({
      peer: fc.constantFrom('ana', 'ben', 'cleo'),
      sequence: fc.integer({ min: 1, max: 4 }),
      round: fc.integer({ min: 0, max: 2 })
    })
    .map(({ peer, ...changes }) => recordOf(peer, changes))

  it('is the same in all books, in whatever order and how often they hear of it', () => {
    const newestIn = (records: readonly SignedRecord[]): unknown => {
      const book = new RecordBook()
      for (const record of records) book.hear(record, 'x', 0, 0)
      return [...book.entries]
        .map(({ signed }) => signed?.record)
        .sort((a, b) => ((a?.peer ?? '') < (b?.peer ?? '') ? -1 : 1))
    }
    fc.assert(
      fc.property(
        fc
          .array(versions, { maxLength: 12 })
          .chain((records) =>
            fc.tuple(
              fc.constant(records),
              fc.shuffledSubarray(records, { minLength: records.length }),
              fc.array(fc.constantFrom(...records, recordOf('dan')), { maxLength: 5 })
            )
          ),
        ([records, shuffled, again]) => {
          const known = again.filter(({ record }) => record.peer !== 'dan')
          expect(newestIn([...shuffled, ...known])).toEqual(newestIn(records))
        }
      )
    )
  })

  it('is not an older one that is told as new', () => {
    const book = new RecordBook()
    const [old, now] = [1, 2].map((sequence) => recordOf('ana', { sequence })) as [
      SignedRecord,
      SignedRecord
    ]
    book.hear(now, 'ben', 0, 0)
    expect(book.isNews(old)).toBe(false)
    book.hear(old, 'eve', 5_000, 5_000)
    expect(book.get('ana')).toMatchObject({ signed: { record: { sequence: 2 } }, heardMs: 0 })
  })
})

describe('the age of a record', () => {
  it('adds up over all who pass it on, whatever their clocks say', () => {
    // ana is heard at 0; ben tells cleo after 100 s, and cleo tells dan after another 200 s.
    const day = 86_400_000
    const clocks = { ben: 0, cleo: day, dan: -day }
    const books = { ben: new RecordBook(), cleo: new RecordBook(), dan: new RecordBook() }
    const pass = (from: 'ben' | 'cleo', to: 'cleo' | 'dan', atMs: number): void => {
      const [told] = books[from].tell(to, 1, everybody, atMs + clocks[from])
      if (told === undefined) throw new Error('nothing told')
      const nowMs = atMs + clocks[to]
      books[to].hear(told.signed, from, nowMs - told.heardSecondsAgo * 1_000, nowMs)
    }
    books.ben.hear(recordOf('ana'), 'ana', 0, 0)
    pass('ben', 'cleo', 100_000)
    pass('cleo', 'dan', 300_000)
    const ana = books.dan.get('ana')
    expect(300_000 + clocks.dan - (ana?.heardMs ?? NaN)).toBe(300_000)
  })

  it('ends the record, but not the memory of where its peer could be reached', () => {
    const book = new RecordBook()
    book.hear(recordOf('ana'), 'ben', 0, 0)
    expect(aliveIn(book, expiryMs - 1)).toEqual(['ana'])
    expect(aliveIn(book, expiryMs)).toEqual([])
    expect(book.tell('cleo', 32, everybody, expiryMs)).toEqual([])
    expect(book.get('ana')?.addresses).toEqual(['/memory/ana'])
  })

  it('does not become less than the time since it came, however often a liar says so', () => {
    const book = new RecordBook()
    book.hear(recordOf('dead'), 'ben', 0, 10_000)
    for (let ms = 20_000; ms < 2 * expiryMs; ms += 10_000) {
      book.hear(recordOf('dead'), 'eve', ms, ms)
    }
    expect(book.get('dead')?.heardMs).toBe(10_000)
  })

  it('is what the best informed says, when a liar said that a living peer is long dead', () => {
    const book = new RecordBook()
    book.hear(recordOf('ana'), 'eve', -expiryMs, 0)
    expect(aliveIn(book, 1_000)).toEqual([])
    book.hear(recordOf('ana'), 'ben', -3_000, 1_000)
    expect(aliveIn(book, 1_000)).toEqual(['ana'])
  })

  it('begins anew for whoever is met', () => {
    const book = new RecordBook()
    book.hear(recordOf('ana'), 'ana', 0, 0)
    book.met('ana', expiryMs)
    expect(aliveIn(book, expiryMs + 1_000)).toEqual(['ana'])
  })
})

describe('a book', () => {
  const fill = (book: RecordBook, teller: string, count: number, nowMs = 0): void => {
    for (let i = 0; i < count; i++) {
      book.hear(recordOf(`${teller}'s-${i}`), teller, nowMs, nowMs)
      book.trim(nobody, nowMs)
    }
  }

  it('holds of one who tells of a thousand no more than its share, and forgets nobody else', () => {
    const book = new RecordBook()
    for (const teller of ['ana', 'ben', 'cleo']) fill(book, teller, 100)
    const honest = peersOf(book)
    fill(book, 'eve', 1_000, 1_000)
    const known = peersOf(book)
    expect(known).toEqual(expect.arrayContaining(honest))
    expect(known.length).toBe(honest.length + contactsPerTellerMax)
  })

  it('forgets nobody whom we met, though many liars tell of many', () => {
    const book = new RecordBook()
    fill(book, 'ana', 50)
    for (const peer of peersOf(book)) book.met(peer, 0)
    const met = peersOf(book)
    for (let liar = 0; liar < 20; liar++) fill(book, `eve-${liar}`, 100, 1_000)
    expect(book.size).toBeLessThanOrEqual(contactsMax)
    expect(peersOf(book)).toEqual(expect.arrayContaining(met))
  })

  it('is bounded even when everybody in it was met, and keeps those who are connected', () => {
    const book = new RecordBook()
    for (let i = 0; i < 2 * contactsMax; i++) {
      book.hear(recordOf(`peer-${i}`), `peer-${i}`, i, i)
      book.met(`peer-${i}`, i)
      book.trim((peer) => peer === 'peer-0', i)
    }
    expect(book.size).toBeLessThanOrEqual(contactsMax)
    expect(peersOf(book)).toContain('peer-0')
    expect(peersOf(book)).not.toContain('peer-1')
  })

  it('tells of all in turns, and of liars no more than of others', () => {
    const book = new RecordBook()
    for (const teller of ['ana', 'ben', 'cleo']) fill(book, teller, 20)
    fill(book, 'eve', 120)
    const told = book.tell('dan', 32, everybody, 0).map(({ signed }) => signed.record.peer)
    expect(told.length).toBe(32)
    expect(told.filter((peer) => peer.startsWith('eve')).length).toBe(8)
  })

  it('tells of half whom it met, those first whom it told less often, until all were told', () => {
    const book = new RecordBook()
    fill(book, 'ana', 40)
    for (const peer of peersOf(book).slice(0, 20)) book.met(peer, 0)
    const told = (): string[] =>
      book.tell('dan', 10, everybody, 0).map(({ signed }) => signed.record.peer)
    const all = Array.from({ length: 4 }, told)
    expect(all[0]?.filter((peer) => book.get(peer)?.met).length).toBe(5)
    expect(new Set(all.flat()).size).toBe(40)
  })

  it('tells nobody of himself, of those who left, or of whom the body found', () => {
    const book = new RecordBook()
    for (const peer of ['ana', 'ben']) book.hear(recordOf(peer), 'cleo', 0, 0)
    book.find({ peer: 'found', addresses: ['/memory/found'] }, 0)
    book.gone('ben')
    expect(book.tell('ana', recordsPerMessageMax, everybody, 0)).toEqual([])
    expect(book.tell('dan', recordsPerMessageMax, everybody, 0)).toHaveLength(1)
  })

  it('of two records that two lives signed with one number keeps the same as everybody', () => {
    const records = [7, 8].map((round) => recordOf('ana', { round }))
    const kept = [records, [...records].reverse()].map((order) => {
      const book = new RecordBook()
      for (const record of order) book.hear(record, 'x', 0, 0)
      return book.get('ana')?.signed?.record.round
    })
    expect(new Set(kept).size).toBe(1)
  })
})
