import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../../src/core/digest.ts'
import { recordOf } from '../records.ts'
import { tinyTask } from '../tiny-task.ts'
import { Room } from './room.ts'

const task = tinyTask()
const roundsTask = tinyTask(3, { exchange: { mode: 'rounds', intervalMs: 0, deadlineMs: 1_000 } })

describe('a participant', () => {
  it('alone trains on, round after round', () => {
    const room = new Room()
    const ana = room.enter('ana', { roundsMax: 4, target: 3 })
    room.run(1_000)

    expect(ana.snapshot()).toMatchObject({ state: 'finished', round: 4, steps: 8, age: 32 })
    expect(ana.model?.parameters[0]).toBeCloseTo(3, 1)
  })

  it('starts from the same parameters as everybody in a task with a shared start', () => {
    const room = new Room()
    const ana = room.enter('ana', { roundsMax: 0 })
    const ben = room.enter('ben', { roundsMax: 0 })
    const other = room.enter('cleo', {
      roundsMax: 0,
      task: tinyTask(3, { init: { kind: 'independent' } })
    })
    room.run(10)

    expect(ana.model?.parameters).toEqual(ben.model?.parameters)
    expect(other.model?.parameters).not.toEqual(ana.model?.parameters)
  })

  it('waits for its quorum, and not longer than joinWaitMs', () => {
    const room = new Room()
    const ana = room.enter('ana', { quorum: 1, joinWaitMs: 500 })
    room.run(400)
    expect(ana.snapshot().state).toBe('joining')
    room.run(200)
    expect(ana.snapshot().state).toBe('training')
  })

  it('comes back from its checkpoint with round, steps and age', () => {
    const room = new Room()
    room.enter('ana', { roundsMax: 10, target: 3, saveEveryRounds: 2 })
    room.run(110)
    room.crash('ana')
    const checkpoint = room.checkpoints.get('ana')
    expect(checkpoint?.round).toBe(4)

    const ana = room.enter('ana', { checkpoint: checkpoint!, roundsMax: 10, target: 3 })
    room.run(2)
    expect(ana.snapshot()).toMatchObject({ round: 4, steps: 8, age: 32, lastSavedRound: 4 })
    expect(ana.model?.parameters).toEqual(checkpoint?.state.parameters)
  })

  it('does not start from the checkpoint of another task, and says so', () => {
    const room = new Room()
    room.enter('ana', { roundsMax: 2 })
    room.run(200)
    const other = tinyTask(3, { name: 'other' })
    const ana = room.enter('ana', {
      task: other,
      checkpoint: room.checkpoints.get('ana')!,
      roundsMax: 0
    })
    room.run(2)

    expect(ana.snapshot().age).toBe(0)
    expect(room.eventsOf('ana', 'trouble')[0]?.what).toContain(task.cid)
  })

  it('says goodbye and saves when told to leave', () => {
    const room = new Room()
    room.enter('ana', { saveEveryRounds: 0 })
    room.enter('ben', {})
    room.connect('ana', 'ben')
    room.run(300)
    room.tell('ana', { kind: 'leave' })
    room.run(50)

    expect(room.checkpoints.get('ana')?.round).toBeGreaterThan(0)
    expect(room.eventsOf('ben', 'peer-left')).toEqual([{ kind: 'peer-left', peer: 'ana' }])
  })

  it('tries again when its trainer failed', () => {
    const room = new Room()
    const ana = room.enter('ana', {})
    room.run(2)
    room.tell('ana', { kind: 'trainFailed', reason: 'the worker crashed' })
    room.run(6_000)
    expect(room.eventsOf('ana', 'trouble')[0]?.what).toBe('the worker crashed')
    expect(ana.snapshot().round).toBeGreaterThan(0)
  })
})

describe('a newcomer', () => {
  it('without a task gets it from the swarm, then the newest parameters, then trains', () => {
    const room = new Room()
    room.enter('ana', { target: 5, roundsMax: 20 })
    room.run(1_000)
    const ben = room.enter('ben', { task: null, target: 5, roundsMax: 1 })
    room.connect('ana', 'ben')
    room.run(500)

    expect(room.eventsOf('ben', 'task-adopted')).toEqual([
      { kind: 'task-adopted', task: task.cid, from: 'ana' }
    ])
    expect(room.eventsOf('ben', 'caught-up')[0]).toMatchObject({ from: 'ana', round: 20 })
    expect(ben.snapshot()).toMatchObject({ state: 'finished', task: task.cid })
    expect(ben.model?.parameters[0]).toBeCloseTo(5, 3)
  })

  it('takes only the task that it wants', () => {
    const room = new Room()
    room.enter('ana', {})
    const ben = room.enter('ben', { task: null, wanted: tinyTask(3, { name: 'other' }).cid })
    room.connect('ana', 'ben')
    room.run(60_000)
    expect(ben.snapshot()).toMatchObject({ state: 'joining', task: null })
  })

  it('asks another peer when the first one says nothing', () => {
    const room = new Room()
    for (const name of ['ana', 'cleo']) room.enter(name, { target: 5, roundsMax: 20 })
    room.run(1_000)
    let asked: string | undefined
    room.loses = (from, _to, message) => message.kind === 'state' && (asked ??= from) === from
    room.enter('ben', { quorum: 2, roundsMax: 1 })
    room.connect('ana', 'ben')
    room.connect('cleo', 'ben')
    room.run(3_000)

    expect(room.eventsOf('ben', 'caught-up').map(({ from }) => from)).toEqual([
      asked === 'ana' ? 'cleo' : 'ana'
    ])
  })

  it.each([
    ['digest', (p: Float32Array) => ({ parameters: p, digest: 'f'.repeat(64) })],
    [
      'size',
      (_p: Float32Array) => ({
        parameters: Float32Array.of(1),
        digest: sha256Hex(Float32Array.of(1))
      })
    ],
    [
      'not-finite',
      (_p: Float32Array) => ({ parameters: Float32Array.of(1, NaN, 1), digest: '0'.repeat(64) })
    ]
  ])('refuses a state with the wrong %s and starts from its own', (reason, forge) => {
    const room = new Room()
    const ana = room.enter('ana', { quorum: 1, joinWaitMs: 100, roundsMax: 0 })
    room.connect('ana', 'eve')
    const hello = {
      kind: 'hello',
      lineage: 'ab'.repeat(32),
      task: task.cid,
      layout: task.layout.digest,
      round: 9,
      age: 99,
      samples: 8,
      record: recordOf('eve'),
      offers: [],
      known: true
    } as const
    room.run(2)
    room.tell('ana', { kind: 'message', from: 'eve', message: hello })
    expect(room.sent.at(-1)).toMatchObject({
      to: 'eve',
      message: { kind: 'want', what: 'state', task: null }
    })
    const before = ana.model?.parameters
    const forged = forge(Float32Array.of(1, 2, 3))
    room.tell('ana', {
      kind: 'message',
      from: 'eve',
      message: {
        kind: 'state',
        round: 9,
        age: 99,
        samples: 8,
        lineage: 'ab'.repeat(32),
        ...forged
      }
    })

    expect(room.eventsOf('ana', 'rejected')).toEqual([{ kind: 'rejected', peer: 'eve', reason }])
    expect(ana.model?.parameters).toBe(before)
    expect(ana.snapshot().state).toBe('finished')
  })

  it('joins synchronous rounds where the swarm is, not at zero', () => {
    const room = new Room()
    for (const name of ['ana', 'ben']) room.enter(name, { task: roundsTask, quorum: 1, target: 5 })
    room.connect('ana', 'ben')
    room.run(2_000)
    const cleo = room.enter('cleo', { task: roundsTask, quorum: 2, target: 5 })
    room.connect('ana', 'cleo')
    room.connect('ben', 'cleo')
    room.run(500)

    const round = room.eventsOf('ana', 'round-finished').length
    expect(Math.abs(cleo.snapshot().round - round)).toBeLessThanOrEqual(1)
    expect(room.eventsOf('ana', 'merged').at(-1)?.with).toEqual(['ben', 'cleo'])
  })
})

describe('a hello that is lost on its way', () => {
  it('is said again, and the peers meet all the same', () => {
    const room = new Room()
    let lost = 0
    room.loses = (_from, _to, message) => message.kind === 'hello' && lost++ < 4
    room.enter('ana', { task: roundsTask, target: 1 })
    room.enter('ben', { task: roundsTask, target: -1 })
    room.connect('ana', 'ben')
    room.run(20_000)

    expect(lost).toBeGreaterThan(4)
    expect(room.eventsOf('ana', 'merged').length).toBeGreaterThan(0)
    expect(room.eventsOf('ben', 'banned')).toEqual([])
  })

  it('one way only, is asked for by whoever lacks it', () => {
    const room = new Room()
    room.loses = (from, _to, message) =>
      message.kind === 'hello' && from === 'ana' && room.nowMs < 1_000
    room.enter('ana', {})
    room.enter('ben', {})
    room.connect('ana', 'ben')
    room.run(20_000)
    expect(room.eventsOf('ben', 'peer-joined').length).toBe(1)
  })

  it('never gets the peer that said it banned, however much it sends meanwhile', () => {
    const room = new Room()
    room.loses = (from, _to, message) => message.kind === 'hello' && from === 'ana'
    for (const name of ['ana', 'ben']) room.enter(name, { task: roundsTask })
    room.connect('ana', 'ben')
    room.run(30_000)

    expect(room.eventsOf('ben', 'rejected').length).toBeGreaterThan(15)
    expect(room.eventsOf('ben', 'banned')).toEqual([])
  })
})

describe('a peer that fell behind in synchronous rounds', () => {
  it('fetches the newest model and goes on where the swarm is', () => {
    const room = new Room()
    for (const name of ['ana', 'ben']) room.enter(name, { task: roundsTask, quorum: 1, target: 5 })
    const cleo = room.enter('cleo', { task: roundsTask, quorum: 2, target: 5, trainMs: 200 })
    for (const [a, b] of [
      ['ana', 'ben'],
      ['ana', 'cleo'],
      ['ben', 'cleo']
    ] as const)
      room.connect(a, b)
    room.run(200)
    for (const name of ['ana', 'ben']) room.cut(name, 'cleo')
    const alone = cleo.snapshot().round
    room.run(3_000) // ten times as slow, and nobody waits for her now
    for (const name of ['ana', 'ben']) room.connect(name, 'cleo')
    room.run(2_000)

    expect(cleo.snapshot().round).toBeGreaterThan(alone + 50)
    expect(room.eventsOf('cleo', 'caught-up')[0]).toMatchObject({ kind: 'caught-up' })
    expect(room.eventsOf('ana', 'merged').at(-1)?.with).toEqual(['ben', 'cleo'])
  })

  it('goes on where the swarm is even when nobody gives it their model', () => {
    const room = new Room()
    room.loses = (_from, _to, message) => message.kind === 'state'
    for (const name of ['ana', 'ben']) room.enter(name, { task: roundsTask, quorum: 1 })
    room.connect('ana', 'ben')
    room.run(2_000)
    const cleo = room.enter('cleo', { task: roundsTask, quorum: 2 })
    for (const name of ['ana', 'ben']) room.connect(name, 'cleo')
    room.run(4_000) // two deadlines without an answer

    expect(room.eventsOf('cleo', 'caught-up')).toEqual([])
    expect(cleo.snapshot().round).toBeGreaterThan(50)
    expect(room.eventsOf('ana', 'merged').at(-1)?.with).toEqual(['ben', 'cleo'])
  })

  it('too slow for its last rounds takes the model of those who have finished', () => {
    const room = new Room()
    const options = { task: roundsTask, quorum: 2, roundsMax: 3, target: 5 }
    const ana = room.enter('ana', options)
    room.enter('ben', options)
    const cleo = room.enter('cleo', { ...options, target: -5, trainMs: 2_500 })
    for (const [a, b] of [
      ['ana', 'ben'],
      ['ana', 'cleo'],
      ['ben', 'cleo']
    ] as const)
      room.connect(a, b)
    room.run(20_000)

    expect(cleo.snapshot()).toMatchObject({ state: 'finished', round: 3 })
    expect(cleo.model?.parameters).toEqual(ana.model?.parameters)
  })

  it('that finds all the others finished ends with their model', () => {
    const room = new Room()
    const ana = room.enter('ana', { task: roundsTask, target: 5, roundsMax: 30, quorum: 1 })
    room.enter('ben', { task: roundsTask, target: 5, roundsMax: 30, quorum: 1, saveEveryRounds: 2 })
    room.connect('ana', 'ben')
    room.run(200)
    room.crash('ben')
    room.run(5_000)
    expect(ana.snapshot().state).toBe('finished')
    const ben = room.enter('ben', {
      task: roundsTask,
      target: -5,
      roundsMax: 30,
      quorum: 1,
      checkpoint: room.checkpoints.get('ben')!
    })
    room.connect('ana', 'ben')
    room.run(1_000)

    expect(ben.snapshot()).toMatchObject({ state: 'finished', round: 30 })
    expect(ben.model?.parameters).toEqual(ana.model?.parameters)
  })
})

describe('peers of different tasks', () => {
  it('refuse each other, naming both, and exchange nothing', () => {
    const room = new Room()
    const other = tinyTask(3, { name: 'other' })
    room.enter('ana', {})
    room.enter('ben', { task: other })
    room.connect('ana', 'ben')
    room.run(1_000)

    const [refusal] = room.eventsOf('ana', 'peer-refused')
    expect(refusal?.ours).toContain(task.cid)
    expect(refusal?.theirs).toContain(other.cid)
    expect(room.events.filter(({ event }) => event.kind === 'merged')).toEqual([])
  })
})

describe('a swarm that knows one address', () => {
  it('becomes a mesh by telling each other whom they know', () => {
    const room = new Room()
    const names = ['ana', 'ben', 'cleo', 'dan', 'eli']
    const peers = names.map((name) => room.enter(name, { degree: 4 }))
    for (const name of names.slice(1)) room.connect('ana', name)
    room.run(20_000)

    for (const peer of peers) expect(peer.snapshot().peers.length).toBe(4)
  })

  it('does not dial an unreachable peer in a loop', () => {
    const room = new Room()
    room.enter('ana', { degree: 4, roundsMax: 1 })
    room.tell('ana', {
      kind: 'discovered',
      contacts: [{ peer: 'ghost', addresses: ['/memory/ghost'] }]
    })
    let dials = 0
    const machine = room.enter('ben', { degree: 4, roundsMax: 1 })
    for (let second = 0; second < 600; second++) {
      const input =
        second === 0
          ? ({
              kind: 'discovered',
              contacts: [{ peer: 'ghost', addresses: ['/memory/ghost'] }]
            } as const)
          : ({ kind: 'wake', timer: 'membership' } as const)
      const effects = machine.handle(input, second * 1_000)
      for (const effect of effects) {
        if (effect.kind !== 'connect') continue
        dials++
        machine.handle({ kind: 'unreachable', peer: 'ghost' }, second * 1_000)
      }
    }
    expect(dials).toBeGreaterThan(4)
    expect(dials).toBeLessThan(15)
  })
})

describe('conduct', () => {
  it('bans a peer that keeps sending garbage, and takes nothing from it afterwards', () => {
    const room = new Room()
    room.enter('ana', {})
    room.enter('eve', { roundsMax: 0 })
    room.connect('ana', 'eve')
    room.run(50)
    for (let i = 0; i < 3; i++)
      room.tell('ana', { kind: 'malformed', from: 'eve', reason: 'malformed' })

    expect(room.eventsOf('ana', 'banned').map(({ peer }) => peer)).toEqual(['eve'])
    expect(room.eventsOf('eve', 'peer-left').length).toBe(1)
    room.connect('ana', 'eve')
    room.run(50)
    expect(room.eventsOf('ana', 'peer-joined').length).toBe(1)
  })

  it('bans nobody for being late', () => {
    const room = new Room()
    room.enter('ana', { task: roundsTask })
    room.connect('ana', 'eve')
    room.run(2_000)
    const update = {
      kind: 'update',
      phase: 'round',
      round: 0,
      age: 0,
      samples: 1,
      exchange: 0,
      degree: 1,
      lineage: 'ab'.repeat(32),
      digest: 'cd'.repeat(32),
      parameters: new Float32Array(3)
    } as const
    room.tell('ana', {
      kind: 'message',
      from: 'eve',
      message: {
        kind: 'hello',
        lineage: 'ab'.repeat(32),
        task: roundsTask.cid,
        layout: roundsTask.layout.digest,
        round: 0,
        age: 0,
        samples: 1,
        record: recordOf('eve'),
        offers: [],
        known: true
      }
    })
    for (let i = 0; i < 100; i++)
      room.tell('ana', { kind: 'message', from: 'eve', message: update })

    expect(room.eventsOf('ana', 'rejected').length).toBe(100)
    expect(room.eventsOf('ana', 'banned')).toEqual([])
  })

  it('serves its model at most once in a while to the same peer', () => {
    const room = new Room()
    room.enter('ana', { roundsMax: 3 })
    room.enter('eve', { roundsMax: 0 })
    room.connect('ana', 'eve')
    room.run(200)
    for (let i = 0; i < 5; i++)
      room.tell('ana', {
        kind: 'message',
        from: 'eve',
        message: { kind: 'want', what: 'state', task: null }
      })
    expect(room.sent.filter(({ message }) => message.kind === 'state').length).toBe(1)
  })
})
