import { describe, expect, it } from 'vitest'
import { helperTasksMax, recordsPerMessageMax } from '../../src/core/limits.ts'
import { createTask } from '../../src/learning/task.ts'
import type { Hello, Message } from '../../protocols/messages.ts'
import { TaskShelf } from '../../protocols/rendezvous/task-shelf.ts'
import { cidOf } from '../../src/core/cid.ts'
import { recordOf } from '../records.ts'
import { tinyTask } from '../tiny-task.ts'
import { Room } from './room.ts'

const task = tinyTask(3)
const other = tinyTask(3, { name: 'other' })
const meets = { degree: 4, membershipIntervalMs: 500, roundsMax: 2 }

function helloOf(peer: string, changes: Partial<Hello> = {}): Hello {
  return {
    kind: 'hello',
    round: 0,
    age: 0,
    samples: 0,
    lineage: null,
    task: null,
    layout: null,
    record: recordOf(peer, { task: changes.task ?? null }),
    offers: [],
    known: true,
    ...changes
  }
}

/** Everything that was sent from one to the other. */
function said(room: Room, from: string, to: string): Message[] {
  return room.sent
    .filter((each) => each.from === from && each.to === to)
    .map((each) => each.message)
}

describe('a helper', () => {
  it('is all that peers of a task have to know of to find each other', () => {
    const room = new Room()
    const helper = room.enterHelper('hal', { membershipIntervalMs: 500 })
    const names = ['ana', 'ben', 'cleo', 'dan']
    const peers = names.map((name) => room.enter(name, { task, ...meets }))
    for (const name of names) room.connect(name, 'hal')
    room.run(5_000)

    for (const [index, peer] of peers.entries()) {
      const { peers: met, helpers, swarm } = peer.snapshot()
      const others = names.filter((_, other) => other !== index)
      expect(met.filter(({ introduced }) => introduced).map((each) => each.peer)).toEqual(others)
      expect(helpers).toEqual(['hal'])
      expect(swarm.map((each) => each.peer)).toEqual(others)
    }
    expect(helper.snapshot()).toMatchObject({
      tasks: [{ task: task.cid, peers: 4 }],
      known: 4,
      connected: 4,
      rejectedBy: {}
    })
  })

  it('passes on at once where a peer can be reached now, a few times', () => {
    const room = new Room()
    room.enterHelper('hal')
    for (const name of ['ana', 'ben']) {
      room.enter(name, { task, ...meets, degree: 1 })
      room.connect(name, 'hal')
    }
    room.run(2_000)
    const placesTold = () =>
      said(room, 'hal', 'ben')
        .flatMap((message) => (message.kind === 'peers' ? message.records : []))
        .map(({ signed }) => signed.record.addresses[0])
    expect(placesTold()).not.toContain('/memory/elsewhere')

    const moveTo = (place: string): void => {
      room.tell('ana', { kind: 'listening', addresses: [`/memory/${place}`] })
      room.run(100)
    }
    for (const place of ['elsewhere', 'again', 'and-again', 'restless']) moveTo(place)
    expect(placesTold()).toEqual(
      expect.arrayContaining(['/memory/elsewhere', '/memory/again', '/memory/and-again'])
    )
    expect(placesTold()).not.toContain('/memory/restless')
    room.run(3_000)
    moveTo('at-rest')
    expect(placesTold()).toContain('/memory/at-rest')
  })

  it('is traded with by nobody, and counts for no degree', () => {
    const room = new Room()
    room.enterHelper('hal')
    for (const name of ['ana', 'ben']) room.enter(name, { task, ...meets, degree: 1 })
    for (const name of ['ana', 'ben']) room.connect(name, 'hal')
    room.run(5_000)

    expect(room.eventsOf('ana', 'merged').flatMap((merged) => merged.with)).toContain('ben')
    const told = ['ana', 'ben'].flatMap((name) => said(room, name, 'hal'))
    expect(new Set(told.map(({ kind }) => kind))).toEqual(new Set(['hello', 'task']))
  })

  it('gives a newcomer the task that it knows, and then its peers', () => {
    const room = new Room()
    room.enterHelper('hal')
    room.enter('ana', { task, ...meets })
    room.connect('ana', 'hal')
    room.run(1_000)
    const ben = room.enter('ben', { task: null, ...meets })
    room.connect('ben', 'hal')
    room.run(5_000)

    expect(room.eventsOf('ben', 'task-adopted')).toMatchObject([{ task: task.cid, from: 'hal' }])
    expect(ben.snapshot().peers.map(({ peer }) => peer)).toEqual(['ana', 'hal'])
    expect(room.eventsOf('hal', 'rejected')).toEqual([])
  })

  it('tells a newcomer who waited as soon as it knows a task', () => {
    const room = new Room()
    room.enterHelper('hal')
    room.enter('ben', { task: null, ...meets })
    room.connect('ben', 'hal')
    room.run(1_000)
    room.enter('ana', { task, ...meets })
    room.connect('ana', 'hal')
    room.run(1_000)
    expect(room.eventsOf('ben', 'task-adopted')).toMatchObject([{ task: task.cid }])
  })

  it('of several tasks lets a newcomer choose, and gives the one that it asks for', () => {
    const room = new Room()
    room.enterHelper('hal')
    room.enter('ana', { task, ...meets })
    room.enter('ben', { task: other, ...meets })
    for (const name of ['ana', 'ben']) room.connect(name, 'hal')
    room.run(1_000)
    room.enter('undecided', { task: null, ...meets })
    room.enter('cleo', { task: null, wanted: other.cid, ...meets })
    for (const name of ['undecided', 'cleo']) room.connect(name, 'hal')
    room.run(5_000)

    expect(room.eventsOf('cleo', 'task-adopted')).toMatchObject([{ task: other.cid }])
    expect(room.eventsOf('undecided', 'task-adopted')).toEqual([])
    const [trouble] = room.eventsOf('undecided', 'trouble')
    for (const words of [task.cid, other.cid, '--task']) expect(trouble?.what).toContain(words)
    expect(room.eventsOf('cleo', 'peer-joined').map(({ peer }) => peer)).toEqual(['ben'])
  })

  it('does not offer a task of which nobody has been heard for a while', () => {
    const room = new Room()
    const helper = room.enterHelper('hal')
    room.enter('ana', { task, ...meets })
    room.connect('ana', 'hal')
    room.run(1_000)
    room.crash('ana')
    const offers = (): readonly string[] => {
      const hellos = said(room, 'hal', 'ben').filter((message) => message.kind === 'hello')
      return hellos.at(-1)?.offers ?? ['nothing said']
    }
    room.run(16 * 60_000)
    room.enter('ben', { task: null, ...meets })
    room.connect('ben', 'hal')
    room.run(1_000)
    expect(helper.snapshot().tasks).toEqual([{ task: task.cid, peers: 0 }])
    expect(offers()).toEqual([])
  })

  it('believes no manifest that is not what its name says', () => {
    const room = new Room()
    const helper = room.enterHelper('hal')
    room.connect('hal', 'eve')
    const tell = (message: Message): void =>
      room.tell('hal', { kind: 'message', from: 'eve', message })
    tell(helloOf('eve', { task: task.cid, record: recordOf('eve', { task: task.cid }) }))
    expect(said(room, 'hal', 'eve').at(-1)).toMatchObject({ kind: 'peers' })
    expect(said(room, 'hal', 'eve')).toContainEqual({ kind: 'want', what: 'task', task: task.cid })
    tell({ kind: 'task', manifest: other.bytes })

    expect(room.eventsOf('hal', 'rejected')).toMatchObject([{ peer: 'eve', reason: 'task' }])
    expect(helper.snapshot().tasks).toEqual([])
  })

  it('takes no models, and bans whoever insists', () => {
    const room = new Room()
    room.enterHelper('hal')
    room.connect('hal', 'eve')
    room.tell('hal', { kind: 'message', from: 'eve', message: helloOf('eve') })
    for (let i = 0; i < 3; i++)
      room.tell('hal', { kind: 'malformed', from: 'eve', reason: 'too-large' })
    expect(room.eventsOf('hal', 'banned')).toMatchObject([{ peer: 'eve' }])
    room.connect('hal', 'eve')
    expect(said(room, 'hal', 'eve').filter(({ kind }) => kind === 'leave')).toEqual([])
    expect(room.eventsOf('hal', 'banned')).toHaveLength(1)
  })

  it('brings two swarms of one task together that met at different helpers', () => {
    const room = new Room()
    for (const name of ['hal', 'ivy']) room.enterHelper(name, { membershipIntervalMs: 500 })
    room.connect('hal', 'ivy')
    const swarms = { hal: ['ana', 'ben'], ivy: ['cleo', 'dan'] }
    const names = Object.entries(swarms).flatMap(([helper, peers]) => {
      for (const peer of peers) {
        room.enter(peer, { task, ...meets, roundsMax: 100_000 })
        room.connect(peer, helper)
      }
      return peers
    })
    room.run(70_000)
    const met = (peer: string): string[] =>
      room.eventsOf(peer, 'peer-joined').map(({ peer: other }) => other)
    expect(met('ana').sort()).toEqual(names.filter((name) => name !== 'ana'))
  })
})

describe('a bootstrap that lies', () => {
  it('names a thousand strangers whom nobody can reach, and keeps nobody from those whom another one names', () => {
    const room = new Room()
    room.enterHelper('hal', { membershipIntervalMs: 500 })
    for (const name of ['ana', 'ben']) {
      room.enter(name, { task, ...meets, roundsMax: 10_000 })
      room.connect(name, 'liar')
      const record = recordOf('liar', { role: 'helper', task: null })
      tellAs('liar', name, { ...helloOf('liar'), record, offers: [task.cid] })
    }
    for (let count = 0; count < 1_000; count += recordsPerMessageMax) {
      const records = Array.from({ length: recordsPerMessageMax }, (_, index) => ({
        signed: recordOf(`stranger${count + index}`, { task: task.cid }),
        heardSecondsAgo: 0
      }))
      for (const name of ['ana', 'ben']) tellAs('liar', name, { kind: 'peers', records })
      room.run(500)
    }
    for (const name of ['ana', 'ben']) room.connect(name, 'hal')
    room.run(5_000)

    for (const [name, other] of [
      ['ana', 'ben'],
      ['ben', 'ana']
    ] as const) {
      expect(room.eventsOf(name, 'merged').flatMap((merged) => merged.with)).toContain(other)
    }

    function tellAs(from: string, to: string, message: Message): void {
      room.tell(to, { kind: 'message', from, message })
    }
  })
})

describe('the shelf of a helper', () => {
  const manifestOf = (index: number): Uint8Array => tinyTask(3, { name: `task-${index}` }).bytes

  it('makes room for a task of more peers, and not for one of as many', () => {
    const counts = new Map<string, number>()
    const shelf = new TaskShelf(() => counts)
    for (let i = 0; i < helperTasksMax; i++) {
      const manifest = manifestOf(i)
      counts.set(cidOf(manifest), i === 7 ? 1 : 2)
      expect(shelf.put(cidOf(manifest), manifest)).toBe(true)
    }
    const [equal, more] = [manifestOf(1_000), manifestOf(1_001)]
    counts.set(cidOf(equal), 1)
    counts.set(cidOf(more), 2)
    expect(shelf.wants(cidOf(equal))).toBe(false)
    expect(shelf.wants(cidOf(more))).toBe(true)
    shelf.put(cidOf(more), more)
    expect(shelf.get(cidOf(more))).toBeDefined()
    expect(shelf.get(cidOf(manifestOf(7)))).toBeUndefined()
    expect(shelf.tasks).toHaveLength(helperTasksMax)
  })

  it('holds a bounded number of bytes', () => {
    const counts = new Map<string, number>()
    const shelf = new TaskShelf(() => counts)
    for (let i = 0; i < 40; i++) {
      const manifest = new Uint8Array(500 * 2 ** 10).fill(i)
      counts.set(cidOf(manifest), i)
      shelf.put(cidOf(manifest), manifest)
    }
    expect(shelf.tasks).toHaveLength(32) // 16 MiB of 500 KiB each
  })

  it('knows a task by the name that the task itself has', () => {
    expect(cidOf(task.bytes)).toBe(createTask(task.manifest).cid)
  })
})
