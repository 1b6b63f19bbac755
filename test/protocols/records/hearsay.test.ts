import { describe, expect, it } from 'vitest'
import { checksPerTellerMax } from '../../../src/core/limits.ts'
import type { ToldRecord } from '../../../protocols/messages.ts'
import { Hearsay } from '../../../protocols/records/hearsay.ts'
import { OwnRecord } from '../../../protocols/records/own-record.ts'
import { RecordBook } from '../../../protocols/records/record-book.ts'
import { SignedRecord, type PeerRecord, type Signer } from '../../../protocols/records/record.ts'
import { notary, recordOf } from '../../records.ts'

const facts = { task: 'task', addresses: ['/memory/self'], round: 0, age: 0 }
const everybody = (): boolean => true

function listener() {
  let checks = 0
  const signer: Signer = {
    sign: (bytes) => notary.signerOf('self').sign(bytes),
    verify(peer, bytes, signature) {
      checks++
      return notary.signerOf('self').verify(peer, bytes, signature)
    }
  }
  const book = new RecordBook()
  const own = new OwnRecord({ self: 'self', signer, role: 'peer', version: '1' })
  const hearsay = new Hearsay({ self: 'self', signer, book, own })
  const hear = (records: readonly SignedRecord[], teller = 'eve', nowMs = 0) =>
    hearsay.hear(teller, told(records), everybody, nowMs)
  return { book, own, hearsay, hear, checks: () => checks }
}

function told(records: readonly SignedRecord[]): ToldRecord[] {
  return records.map((signed) => ({ signed, heardSecondsAgo: 1 }))
}

function forge(genuine: SignedRecord, changes: Partial<PeerRecord>): SignedRecord {
  return SignedRecord.sign({ ...genuine.record, ...changes }, { sign: () => genuine.signature })
}

describe('what is told of others', () => {
  it('is believed when its peer has signed it, and blamed on the teller when not', () => {
    const { book, hear } = listener()
    expect(hear([recordOf('ana')])).toBeUndefined()
    expect(hear([forge(recordOf('ana'), { sequence: 9 })])).toBe('forged')
    expect(hear([forge(recordOf('ana'), { peer: 'ben' })])).toBe('forged')
    expect([...book.entries].map(({ signed }) => signed?.record.sequence)).toEqual([1])
  })

  it('costs a look at the signature only where it is news', () => {
    const { hear, checks } = listener()
    const records = Array.from({ length: 10 }, (_, i) => recordOf(`peer-${i}`, { sequence: 5 }))
    hear(records)
    hear(records)
    hear(records.map(({ record }) => recordOf(record.peer, { sequence: 4 })))
    expect(checks()).toBe(10)
  })

  it('is looked at no more often in a second than we can afford, and the rest is not held against anybody', () => {
    const { book, hear, checks } = listener()
    const flood = Array.from({ length: 3 * checksPerTellerMax }, (_, i) => recordOf(`peer-${i}`))
    expect(hear(flood)).toBeUndefined()
    expect(checks()).toBe(checksPerTellerMax)
    hear([recordOf('ana')], 'ben')
    expect(book.get('ana')).toBeDefined()
    hear(flood, 'eve', 1_000)
    expect(checks()).toBe(2 * checksPerTellerMax + 1)
  })

  it('ends with the first forged record: a list of them costs one look', () => {
    const { hear, checks } = listener()
    const forged = Array.from({ length: 32 }, (_, i) => forge(recordOf(`p${i}`), { round: 7 }))
    expect(hear(forged)).toBe('forged')
    expect(checks()).toBe(1)
  })
})

describe('our own record', () => {
  it('is signed anew for a new task or address at once, and for progress only now and then', () => {
    const { own } = listener()
    const first = own.current(facts)
    expect(own.current({ ...facts, round: 5 })).toBe(first)
    expect(own.current({ ...facts, round: 5, addresses: [] }).record.sequence).toBe(2)
    const looks = Array.from({ length: 24 }, () => {
      own.look()
      return own.current({ ...facts, addresses: [], round: 9 }).record.sequence
    })
    expect(looks.at(-1)).toBe(4)
  })

  it('goes above what is told of an earlier life, once whatever how many tell it', () => {
    const { own, hear } = listener()
    own.current(facts)
    hear([recordOf('self', { sequence: 57, round: 3 })])
    hear([recordOf('self', { sequence: 56, round: 2 })], 'ben')
    expect(own.current(facts).record.sequence).toBe(58)
    expect(own.current(facts).record.sequence).toBe(58)
    expect(own.overtaken).toBe(1)
  })

  it('does not rise for what somebody made up', () => {
    const { own, hear } = listener()
    const { record } = own.current(facts)
    expect(hear([forge(recordOf('self'), { sequence: 2 ** 40 })])).toBe('forged')
    expect(own.current(facts).record).toBe(record)
  })
})

describe('a hello', () => {
  it('with the record of somebody else is forged', () => {
    const { hearsay } = listener()
    const hello = { record: recordOf('ana') } as Parameters<typeof hearsay.greeted>[1]
    expect(hearsay.greeted('eve', hello, 0)).toBe('forged')
    expect(hearsay.greeted('ana', hello, 0)).toBeUndefined()
  })
})
