import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { claimMax, contactsMax, helpersMax, recordsPerMessageMax } from '../../src/core/limits.ts'
import { Random } from '../../src/core/random.ts'
import { Membership } from '../../protocols/membership.ts'
import type { Hello } from '../../protocols/messages.ts'
import type { PeerRecord } from '../../protocols/records/record.ts'
import { RecordBook } from '../../protocols/records/record-book.ts'
import { recordOf } from '../records.ts'

function membership(degree = 4): Membership {
  return new Membership(
    { self: 'self', random: new Random('membership'), book: new RecordBook() },
    { degree, helpers: degree > 0 ? helpersMax : 0 }
  )
}

function hello(changes: Partial<Hello> = {}): Hello {
  return {
    kind: 'hello',
    lineage: null,
    task: 'task',
    layout: null,
    round: 0,
    age: 0,
    samples: 1,
    record: recordOf('x'),
    offers: [],
    known: false,
    ...changes
  }
}

/** Connected, and greeted. */
function meet(machine: Membership, peer: string, facts: Partial<PeerRecord> = {}): void {
  const record = recordOf(peer, facts)
  machine.connected(peer)
  machine.book.hear(record, peer, 0, 0)
  machine.book.met(peer, 0)
  machine.introduce(peer, hello({ task: record.record.task, record }))
}

function peersDialed(machine: Membership, nowMs = 0): string[] {
  return [...machine.fill('task', nowMs), ...machine.fillHelpers(nowMs)].flatMap((effect) => {
    return effect.kind === 'connect' ? [effect.contact.peer] : []
  })
}

describe('membership', () => {
  it('dials up to its degree, a few at a time, nobody twice, and never itself', () => {
    const machine = membership(6)
    const peers = ['self', ...'abcdefgh'].map((peer) => ({ peer, addresses: ['/memory/x'] }))
    machine.learn(peers, 0)
    const first = peersDialed(machine)
    expect(first.length).toBe(4)
    expect(peersDialed(machine)).toEqual([])
    for (const peer of first) machine.connected(peer)
    const second = peersDialed(machine)
    expect(second.length).toBe(2)
    expect(new Set([...first, ...second]).size).toBe(6)
    expect([...first, ...second]).not.toContain('self')
  })

  it('dials nobody in a fixed overlay', () => {
    const machine = membership(0)
    machine.learn([{ peer: 'a', addresses: ['/memory/a'] }], 0)
    expect(machine.fill('task', 0)).toEqual([])
  })

  it('waits longer after every failure, up to five minutes', () => {
    const machine = membership()
    machine.learn([{ peer: 'a', addresses: ['/memory/a'] }], 0)
    const dialedAt: number[] = []
    for (let second = 0; second < 3_600; second++) {
      if (peersDialed(machine, second * 1_000).length === 0) continue
      dialedAt.push(second)
      machine.unreachable('a', second * 1_000)
    }
    const gaps = dialedAt.slice(1).map((second, index) => second - (dialedAt[index] ?? 0))
    expect(gaps[0]).toBeLessThanOrEqual(2)
    expect(Math.max(...gaps)).toBeLessThanOrEqual(451) // five minutes and its jitter
    expect(gaps.length).toBeLessThan(40)
  })

  it('waits for nobody who can be reached at another place than the one that failed', () => {
    const machine = membership()
    const elsewhere = { sequence: 2, addresses: ['/memory/b'] }
    machine.book.hear(recordOf('a'), 'ana', 0, 0)
    expect(peersDialed(machine)).toEqual(['a'])
    machine.unreachable('a', 0)
    expect(peersDialed(machine)).toEqual([])
    machine.book.hear(recordOf('a', elsewhere), 'ana', 0, 0)
    expect(peersDialed(machine)).toEqual(['a'])
    machine.unreachable('a', 0)
    machine.book.hear(recordOf('a', { ...elsewhere, sequence: 3 }), 'ana', 0, 0)
    expect(peersDialed(machine)).toEqual([])
  })

  it('waits for somebody who is at ever new places, where nobody answers', () => {
    const machine = membership()
    let dials = 0
    for (let sequence = 1; sequence <= 50; sequence++) {
      const addresses = [`/memory/${sequence}`]
      machine.book.hear(recordOf('a', { sequence, addresses }), 'ana', 0, 0)
      dials += peersDialed(machine).length
      machine.unreachable('a', 0)
    }
    expect(dials).toBe(4)
  })

  it('dials of those whom two told of one each first, however many one of them named', () => {
    const machine = membership(2)
    for (let i = 0; i < 50; i++) machine.book.hear(recordOf(`stranger-${i}`), 'liar', 0, 0)
    machine.book.hear(recordOf('a'), 'ana', 0, 0)
    expect(peersDialed(machine)).toContain('a')
  })

  it('dials before all others those of whom somebody had word just now', () => {
    const machine = membership(2)
    for (let i = 0; i < 20; i++) {
      machine.book.hear(recordOf(`of-old-${i}`), `teller-${i}`, 0, 0)
    }
    machine.book.hear(recordOf('a'), 'ana', 60_000, 60_000)
    machine.book.hear(recordOf('b'), 'ana', 60_000, 60_000)
    expect(new Set(peersDialed(machine, 60_000))).toEqual(new Set(['a', 'b']))
  })

  it('remembers a bounded number of peers, and not the oldest', () => {
    const machine = membership()
    for (let i = 0; i < contactsMax + 10; i++) {
      machine.learn([{ peer: `peer-${i}`, addresses: ['/memory/x'] }], i)
    }
    expect(machine.book.size).toBeLessThanOrEqual(contactsMax)
    expect(machine.book.size).toBeGreaterThan(0.9 * contactsMax)
    expect(machine.book.get('peer-0')).toBeUndefined()
    expect(machine.book.get(`peer-${contactsMax + 9}`)).toBeDefined()
  })

  it('tells of peers of the task only, and not of whom it tells', () => {
    const machine = membership(100)
    for (let i = 0; i < 50; i++) {
      meet(machine, `peer-${i}`, { task: i % 2 === 0 ? 'task' : 'other' })
    }
    const peers = machine.tell('peer-0', 'task', 0).map(({ signed }) => signed.record.peer)
    expect(peers.length).toBe(24)
    expect(peers.length).toBeLessThan(recordsPerMessageMax) // our own is to go with them
    expect(peers).not.toContain('peer-0')
    expect(peers.every((peer) => Number(peer.slice(5)) % 2 === 0)).toBe(true)
  })

  it('believes no claim beyond measure, and no progress backwards', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.maxSafeNat(), (round, age) => {
        const machine = membership()
        machine.connected('eve')
        machine.introduce('eve', hello({ round, age }))
        machine.progressed('eve', { round: round - 1, age: 1, samples: 1, lineage: 'x' })
        const eve = machine.neighbour('eve')
        expect(eve?.round).toBe(Math.min(round, claimMax))
        expect(eve?.age).toBe(round - 1 >= claimMax ? 1 : Math.min(age, claimMax))
      })
    )
  })

  it('parts from those who are too many, first from those who came to us, never from one in use', () => {
    const machine = membership(4)
    machine.learn([{ peer: 'dialed', addresses: ['/memory/x'] }], 0)
    expect(peersDialed(machine)).toEqual(['dialed'])
    for (const peer of ['dialed', ...'abcdefg']) machine.connected(peer)

    const parted = machine
      .mix('task', 0, (peer) => peer === 'c')
      .flatMap((effect) => (effect.kind === 'disconnect' ? [effect.peer] : []))
    expect(parted.length).toBe(8 - 5) // a quarter above the degree may stay
    expect(parted).not.toContain('dialed')
    expect(parted).not.toContain('c')
    for (const peer of parted) machine.disconnected(peer, 0)
    expect(machine.neighbours.length).toBe(5)
  })

  it('dials one beyond its degree in every twelfth look, so that the graph keeps mixing', () => {
    const machine = membership(2)
    for (const peer of 'ab') machine.connected(peer)
    machine.learn([{ peer: 'c', addresses: ['/memory/c'] }], 0)
    const dialedIn = Array.from({ length: 24 }, (_, look) => {
      const dials = machine.mix('task', look, () => false).length
      if (dials > 0) machine.unreachable('c', -1e9)
      return dials
    })
    expect(dialedIn.filter((dials) => dials > 0)).toEqual([1, 1])
    expect(dialedIn.lastIndexOf(1) - dialedIn.indexOf(1)).toBe(12)
  })

  it('does not dial at once who has just parted from us', () => {
    const machine = membership()
    machine.learn([{ peer: 'a', addresses: ['/memory/a'] }], 0)
    machine.connected('a')
    machine.disconnected('a', 5_000)
    expect(peersDialed(machine, 5_000)).toEqual([])
    expect(peersDialed(machine, 6_000)).toEqual(['a'])
  })

  it('keeps its neighbours in order of id, however they come and go', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.constantFrom(...'abcdefghij'))), (moves) => {
        const machine = membership()
        const expected = new Set<string>()
        for (const [comes, peer] of moves) {
          if (comes) machine.connected(peer)
          else machine.left(peer)
          if (comes) expected.add(peer)
          else expected.delete(peer)
        }
        expect(machine.neighbours.map(({ peer }) => peer)).toEqual([...expected].sort())
      })
    )
  })

  it('dials whom the body found, and tells nobody of them', () => {
    const machine = membership()
    machine.learn([{ peer: 'found', addresses: ['/memory/found'] }], 0)
    expect(peersDialed(machine)).toEqual(['found'])
    expect(machine.tell('ana', 'task', 0)).toEqual([])
  })

  it('does not dial who works on another task, nor who said goodbye', () => {
    const machine = membership()
    machine.book.hear(recordOf('other', { task: 'other' }), 'ana', 0, 0)
    meet(machine, 'polite')
    machine.left('polite')
    machine.disconnected('polite', 0)
    expect(peersDialed(machine, 60_000)).toEqual([])
    machine.book.hear(recordOf('polite', { sequence: 2 }), 'ana', 0, 0) // it came back
    expect(peersDialed(machine, 60_000)).toEqual(['polite'])
  })

  it('dials first of whom somebody had word lately, and at last those who have been silent', () => {
    const machine = membership(3)
    for (const peer of 'abcdef') {
      const heardMs = 'bdf'.includes(peer) ? -60_000 : -60 * 60_000
      machine.book.hear(recordOf(peer), 'ana', heardMs, 0)
    }
    expect(peersDialed(machine).sort()).toEqual(['b', 'd', 'f'])
    for (const peer of 'bdf') machine.unreachable(peer, 0)
    expect(peersDialed(machine).sort()).toEqual(['a', 'c', 'e'])
  })

  it('keeps a few helpers beside its neighbours, and parts from none of them', () => {
    const machine = membership(1)
    const helper = { role: 'helper', task: null } as const
    for (const peer of 'pqrst') machine.book.hear(recordOf(peer, helper), 'ana', 0, 0)
    const dialed = peersDialed(machine)
    expect(dialed.length).toBe(helpersMax)
    for (const peer of dialed) meet(machine, peer, helper)
    for (const peer of 'abcd') meet(machine, peer)
    expect(machine.introduced('task').map(({ peer }) => peer)).toEqual([...'abcd'])
    expect(peersDialed(machine)).toEqual([])
    const parted = machine
      .mix('task', 0, () => false)
      .flatMap((effect) => (effect.kind === 'disconnect' ? [effect.peer] : []))
    expect(parted.length).toBe(2)
    for (const peer of dialed) expect(parted).not.toContain(peer)
  })
})
