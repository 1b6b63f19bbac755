import { describe, expect, it } from 'vitest'
import type { Update } from '../../protocols/messages.ts'
import { contentDigest } from '../../src/core/digest.ts'
import { Random } from '../../src/core/random.ts'
import { finalMergeSchema } from '../../src/learning/exchange.ts'
import { Cadence } from '../../protocols/cadence.ts'
import { Rounds } from '../../protocols/exchange/rounds.ts'
import { LocalModel } from '../../protocols/local-model.ts'
import { recordOf } from '../records.ts'
import { tinyTask } from '../tiny-task.ts'
import { Room } from './room.ts'

const gossipTask = tinyTask()
const roundsTask = tinyTask(3, {
  exchange: { mode: 'rounds', intervalMs: 0, deadlineMs: 1_000 },
  merge: { rule: 'average', weights: 'metropolis' }
})

const lineage = 'ab'.repeat(32)

function push(changes: Partial<Update> = {}): Update {
  const { parameters = Float32Array.of(9, 9, 9) } = changes
  return {
    kind: 'update',
    phase: 'push',
    exchange: 1,
    round: 0,
    age: 8,
    samples: 8,
    degree: 1,
    lineage,
    digest: contentDigest(parameters),
    parameters,
    ...changes
  }
}

/** Two peers that know each other; `eve` never acts by herself. */
function withEve(task = gossipTask, roundsMax = 3): Room {
  const room = new Room()
  room.enter('ana', { task, joinWaitMs: 1, roundsMax })
  room.connect('ana', 'eve')
  greet(room, task)
  return room
}

function greet(room: Room, task = gossipTask, from = 'eve'): void {
  room.tell('ana', {
    kind: 'message',
    from,
    message: {
      kind: 'hello',
      task: task.cid,
      layout: task.layout.digest,
      round: 0,
      age: 0,
      lineage,
      samples: 8,
      record: recordOf(from),
      offers: [],
      known: true
    }
  })
}

function receive(room: Room, message: Update, from = 'eve'): void {
  room.tell('ana', { kind: 'message', from, message })
}

function parametersOf(room: Room): number[] {
  const reply = room.sent.findLast(
    ({ from, message }) => from === 'ana' && message.kind === 'update'
  )
  return reply?.message.kind === 'update' ? [...reply.message.parameters] : []
}

describe('gossip', () => {
  it('meets halfway: after push and reply both hold the same average', () => {
    const room = new Room()
    const ana = room.enter('ana', { quorum: 1, roundsMax: 1, target: 4 })
    const ben = room.enter('ben', { quorum: 1, roundsMax: 0, target: 0 })
    room.connect('ana', 'ben')
    room.run(500)

    expect(room.eventsOf('ana', 'merged')).toMatchObject([{ round: 0, with: ['ben'] }])
    expect(ana.model?.parameters).toEqual(ben.model?.parameters)
  })

  it('keeps the mean of the swarm while nobody trains', () => {
    const room = new Room()
    const task = tinyTask(3, { init: { kind: 'independent' } })
    const names = ['ana', 'ben', 'cleo', 'dan']
    const peers = names.map((name) =>
      room.enter(name, { task, samples: 0, quorum: 3, roundsMax: 40 })
    )
    for (const a of names) for (const b of names) if (a < b) room.connect(a, b)
    room.run(10)
    const mean = (): number =>
      peers.reduce((sum, { model }) => sum + (model?.parameters[0] ?? 0), 0) / 4
    const before = mean()
    room.run(60_000)

    const spread = peers.map(({ model }) => Math.abs((model?.parameters[0] ?? 0) - mean()))
    expect(Math.max(...spread)).toBeLessThan(1e-3)
    expect(mean()).toBeCloseTo(before, 1) // exactly, but for exchanges that cross
  })

  it('loses neither its training nor a model that arrives meanwhile', () => {
    const room = withEve()
    room.run(5) // ana is training towards 0 from p; half way twice leaves p / 4
    const start = room.sent.length
    receive(room, push())
    const before = parametersOf(room)[0] ?? NaN // the reply: the model from before
    expect(room.sent.length).toBe(start + 1)
    room.run(30)

    const trained = before / 4 - before
    expect(parametersOf(room)[0]).toBeCloseTo((before + 9) / 2 + trained, 5)
  })

  it.each([
    ['size', push({ parameters: Float32Array.of(1, 2) })],
    ['not-finite', push({ parameters: Float32Array.of(1, NaN, 2) })],
    ['not-finite', push({ parameters: Float32Array.of(1, 2, -Infinity) })],
    ['unexpected', push({ phase: 'reply' })],
    ['unexpected', push({ phase: 'round' })]
  ] as const)('rejects, counts and is not moved by what is %s', (reason, update) => {
    const room = withEve()
    room.run(2)
    const before = room.eventsOf('ana', 'merged').length
    receive(room, update)

    expect(room.eventsOf('ana', 'rejected')).toEqual([{ kind: 'rejected', peer: 'eve', reason }])
    expect(room.eventsOf('ana', 'merged').length).toBe(before)
  })

  it('merges a push once: the same again is stale, and a third in one round is one too many', () => {
    const room = withEve()
    room.run(2)
    receive(room, push({ exchange: 5 }))
    receive(room, push({ exchange: 5 }))
    receive(room, push({ exchange: 6 }))
    receive(room, push({ exchange: 7 }))

    expect(room.eventsOf('ana', 'merged').length).toBe(2)
    expect(room.eventsOf('ana', 'rejected').map(({ reason }) => reason)).toEqual(['stale', 'full'])
    expect(room.sent.at(-1)?.message).toEqual({ kind: 'decline', exchange: 7 })
  })

  it('goes on after the deadline when the partner says nothing', () => {
    const room = withEve()
    room.run(5_000)

    expect(room.eventsOf('ana', 'exchange-failed').length).toBe(3)
    expect(room.eventsOf('ana', 'finished')).toEqual([{ kind: 'finished', round: 3 }])
  })

  it('weighs by samples, and believes no more than four times its own', () => {
    const task = tinyTask(3, { merge: { rule: 'average', weights: 'samples' } })
    const room = withEve(task)
    room.run(2)
    receive(room, push({ samples: 1e9 }))
    const before = parametersOf(room)[0] ?? NaN // the reply: the model from before
    receive(room, push({ exchange: 2, samples: 0 }))

    expect(parametersOf(room)[0]).toBeCloseTo((before * 8 + 9 * 32) / 40, 5)
  })

  it('takes a reply that comes after the deadline for what it is, and bans nobody for it', () => {
    const room = withEve(gossipTask, 100)
    let answered = 0
    for (let second = 0; second < 60; second++) {
      room.run(1_000)
      for (const { message } of room.sent.slice(answered)) {
        if (message.kind !== 'update' || message.phase !== 'push') continue
        room.run(1_001) // just too late
        receive(room, push({ phase: 'reply', exchange: message.exchange }))
      }
      answered = room.sent.length
    }
    const reasons = room.eventsOf('ana', 'rejected').map(({ reason }) => reason)
    expect(reasons.length).toBeGreaterThan(20)
    expect(new Set(reasons)).toEqual(new Set(['stale']))
    expect(room.eventsOf('ana', 'banned')).toEqual([])
  })

  it('goes on at once when the partner vanishes or declines', () => {
    const room = withEve()
    room.run(25) // trained; the push is out
    const push = room.sent.at(-1)?.message
    expect(push).toMatchObject({ kind: 'update', phase: 'push', exchange: 1 })
    room.tell('ana', { kind: 'message', from: 'eve', message: { kind: 'decline', exchange: 1 } })
    expect(room.eventsOf('ana', 'round-finished').length).toBe(1)
    room.run(25)
    room.cut('ana', 'eve')
    expect(room.eventsOf('ana', 'round-finished').length).toBe(2)
  })
})

describe('synchronous rounds', () => {
  it('merge all neighbours with Metropolis weights', () => {
    const room = withEve(roundsTask)
    room.connect('ana', 'fay')
    greet(room, roundsTask, 'fay')
    room.run(24) // trained: waits for both
    const [own] = parametersOf(room)
    receive(room, push({ phase: 'round', degree: 2, parameters: Float32Array.of(1, 1, 1) }))
    expect(room.eventsOf('ana', 'merged')).toEqual([])
    receive(
      room,
      push({ phase: 'round', degree: 9, parameters: Float32Array.of(10, 10, 10) }),
      'fay'
    )
    expect(room.eventsOf('ana', 'merged')).toMatchObject([{ round: 0, with: ['eve', 'fay'] }])

    room.run(24) // the next round's model: trained from what was merged
    const merged = (parametersOf(room)[0] ?? NaN) * 4
    expect(merged).toBeCloseTo((own ?? NaN) * (1 - 1 / 3 - 1 / 10) + 1 / 3 + 10 / 10, 5)
  })

  it('hold an update that is one round early, refuse one that is over or far', () => {
    const room = withEve(roundsTask)
    room.connect('ana', 'fay')
    greet(room, roundsTask, 'fay') // and is silent: no majority follows eve into the future
    room.run(24)
    receive(room, push({ phase: 'round', round: 1 }))
    receive(room, push({ phase: 'round', round: 5 }))
    expect(room.eventsOf('ana', 'rejected').map(({ reason }) => reason)).toEqual(['future'])
    room.run(1_100) // eve owes round 0; the deadline goes by, then round 1 is complete at once
    expect(room.eventsOf('ana', 'merged')).toMatchObject([{ round: 1, with: ['eve'] }])
    receive(room, push({ phase: 'round', round: 0 }))
    expect(room.eventsOf('ana', 'rejected').at(-1)?.reason).toBe('stale')
  })

  it('have no use for a push, which costs its sender, unless peers are to agree in the end', () => {
    const settling = { ...roundsTask.manifest.exchange, finalMerge: finalMergeSchema.parse({}) }
    for (const [task, reason, answers] of [
      [roundsTask, ['unexpected'], []],
      [tinyTask(3, { exchange: settling }), [], ['decline']]
    ] as const) {
      const room = withEve(task)
      room.run(2)
      receive(room, push({ exchange: 1 }))
      expect(room.eventsOf('ana', 'rejected').map((event) => event.reason)).toEqual(reason)
      const said = room.sent.filter(({ to, message }) => to === 'eve' && message.kind === 'decline')
      expect(said.map(({ message }) => message.kind)).toEqual(answers)
    }
  })

  it('lose one deadline to a peer that promises and does not deliver, not one a round', () => {
    const room = withEve(roundsTask)
    room.run(1_200)
    expect(room.eventsOf('ana', 'exchange-failed').length).toBe(1)
    expect(room.eventsOf('ana', 'finished').length).toBe(1)
  })

  it('hold no more than there is room for', () => {
    const model = new LocalModel({
      parameters: new Float32Array(3),
      optimizer: new Float32Array(),
      steps: 0
    })
    const rounds = new Rounds(
      {
        self: 'ana',
        random: new Random('rounds'),
        model,
        layout: roundsTask.layout,
        merge: { rule: 'average', weights: 'uniform' },
        cadence: new Cadence({
          exchange: { mode: 'rounds' },
          localSteps: 1,
          roundsMax: Infinity,
          dice: 'cadence'
        }),
        neighbours: () => [],
        partners: null,
        addresses: () => [],
        roundsMax: Infinity
      },
      { deadlineMs: 1_000, heldBytesMax: 2 * 3 * 4, settles: false }
    )
    const outcomes = ['eve', 'fay', 'gil'].map((from) =>
      rounds.receive(from, push({ phase: 'round' }), 0)
    )
    expect(outcomes.map(({ rejected }) => rejected)).toEqual([undefined, undefined, 'full'])
  })

  it('do not spin in a peer without data whose neighbours are all late', () => {
    const room = new Room()
    const ana = room.enter('ana', { task: roundsTask, samples: 0, joinWaitMs: 1 })
    room.connect('ana', 'eve')
    greet(room, roundsTask)
    room.run(20_000)

    expect(ana.snapshot().round).toBeGreaterThan(5)
    expect(ana.snapshot().round).toBeLessThan(25)
  })

  it('keep two peers in step, and both reach the same model', () => {
    const room = new Room()
    const ana = room.enter('ana', { task: roundsTask, quorum: 1, roundsMax: 5, target: 1 })
    const ben = room.enter('ben', { task: roundsTask, quorum: 1, roundsMax: 5, target: -1 })
    room.connect('ana', 'ben')
    room.run(2_000)

    expect(ana.snapshot()).toMatchObject({
      state: 'finished',
      round: 5,
      steps: 10,
      exchanges: { ok: 5, failed: 0 }
    })
    expect(ana.model?.parameters).toEqual(ben.model?.parameters)
  })
})
