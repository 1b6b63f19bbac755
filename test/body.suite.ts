import { beforeEach, describe, expect, it } from 'vitest'
import type { Message, PeerId } from '../protocols/messages.ts'
import type {
  Checkpoint,
  Evaluation,
  ParticipantEffect,
  ParticipantEvent,
  ParticipantInput
} from '../protocols/participant-io.ts'
import { contentDigest } from '../src/core/digest.ts'
import { performMerge, type MergeJob, type MergeResult } from '../src/learning/merge/merge.ts'
import { recordOf } from './records.ts'
import { tinyTask } from './tiny-task.ts'
import type { TrainResult, TrainState } from '../src/learning/training.ts'

/** What a machine may rely on in whatever body it lives. Both bodies pass it. */

/** A machine that writes down what it is told and does nothing by itself, in a body of its own. */
export interface Guest {
  readonly id: PeerId
  readonly inputs: readonly ParticipantInput[]
  /** What the body was told to tell the world, by `emit`. */
  readonly events: readonly { readonly kind: string }[]
  perform(effect: ParticipantEffect): void
  nowMs(): number
  /** End this life for good. */
  stop(): Promise<void>
  /** What lies on its disk; after `stop`. */
  saved(): Promise<Checkpoint | null>
}

/** Two guests who are connected. */
export interface Stage {
  readonly ana: Guest
  readonly ben: Guest
  /** Let time pass until this holds; rejects when it never does. */
  until(holds: () => boolean): Promise<void>
}

export interface StageOptions {
  readonly task: typeof task
  readonly trainer: CountingTrainer
}

const parameterCount = 8

const task = tinyTask(parameterCount)

/** Adds one to every parameter, once for each step, and counts how often it is asked. */
export class CountingTrainer {
  readonly samples = 17
  asked = 0

  train(state: TrainState, steps: number): TrainResult {
    this.asked++
    return {
      ...state,
      parameters: state.parameters.map((value) => value + steps),
      steps: state.steps + steps,
      loss: 0.5,
      samples: steps,
      rolledBack: false
    }
  }

  merge(job: MergeJob): MergeResult {
    this.asked++
    return performMerge({ spec: task.manifest.merge, layout: task.layout }, job, null)
  }

  evaluate(parameters: Float32Array): Evaluation {
    this.asked++
    return { loss: 0.25, accuracy: (parameters[0] ?? 0) / 10 }
  }
}

const state: TrainState = {
  parameters: Float32Array.from({ length: parameterCount }, (_, index) => index),
  optimizer: new Float32Array(0),
  steps: 40
}
const lineage = 'ab'.repeat(32)
const checkpoint: Checkpoint = { task: task.cid, round: 3, age: 512, lineage, state }

const progress = { round: 3, age: 4096, samples: 512 }
const messages: readonly Message[] = [
  {
    kind: 'hello',
    ...progress,
    lineage,
    task: task.cid,
    layout: task.layout.digest,
    record: recordOf('ana'),
    offers: [],
    known: false
  },
  { kind: 'want', what: 'state', task: null },
  { kind: 'task', manifest: task.bytes },
  {
    kind: 'update',
    ...progress,
    phase: 'push',
    exchange: 7,
    degree: 2,
    lineage,
    digest: contentDigest(state.parameters),
    parameters: state.parameters
  },
  { kind: 'decline', exchange: 7 },
  { kind: 'peers', records: [{ signed: recordOf('cleo'), heardSecondsAgo: 2 }] },
  { kind: 'leave' }
]

const event: ParticipantEvent = { kind: 'finished', round: 3 }

export function bodySuite(name: string, open: (options: StageOptions) => Promise<Stage>): void {
  describe(`a machine in ${name}`, () => {
    let trainer: CountingTrainer
    let ana: Guest
    let ben: Guest
    let until: Stage['until']
    beforeEach(async () => {
      trainer = new CountingTrainer()
      const stage = await open({ task, trainer })
      ;({ ana, ben } = stage)
      until = (holds) => stage.until(holds)
    })

    const kindsOf = ({ inputs }: Guest): string[] => inputs.map(({ kind }) => kind)
    const has = (guest: Guest, kind: string) => () => kindsOf(guest).includes(kind)
    const sum = (guest: Guest, kind: string) =>
      kindsOf(guest).filter((each) => each === kind).length
    const received = ({ inputs }: Guest): Message[] =>
      inputs.flatMap((input) => (input.kind === 'message' ? [input.message] : []))
    const wakes = ({ inputs }: Guest): string[] =>
      inputs.flatMap((input) => (input.kind === 'wake' ? [input.timer] : []))
    /** So much later, by ben's clock. */
    const pass = async (ms: number): Promise<void> => {
      const before = wakes(ben).length
      ben.perform({ kind: 'wake', timer: 'membership', afterMs: ms })
      await until(() => wakes(ben).length > before)
    }
    const adopt = async (guest: Guest): Promise<void> => {
      guest.perform({ kind: 'adopt', task })
      await until(has(guest, 'adopted'))
    }

    it('is told to start, first of all and once', () => {
      expect(kindsOf(ana)[0]).toBe('start')
      expect(sum(ana, 'start')).toBe(1)
    })

    it('gets messages from the other one, equal and in order', async () => {
      await adopt(ben)
      for (const message of messages) ana.perform({ kind: 'send', to: ben.id, message })
      await until(() => received(ben).length === messages.length)

      expect(received(ben)).toEqual(messages)
      const senders = ben.inputs.flatMap((input) => (input.kind === 'message' ? input.from : []))
      expect(new Set(senders)).toEqual(new Set([ana.id]))
    })

    it('is told once that a peer is up, and once that it is gone, whoever hung up', async () => {
      expect([sum(ana, 'peerUp'), sum(ben, 'peerUp')]).toEqual([1, 1])

      ana.perform({ kind: 'disconnect', peer: ben.id })
      ben.perform({ kind: 'disconnect', peer: ana.id })
      await until(() => has(ana, 'peerDown')() && has(ben, 'peerDown')())
      await pass(100)

      expect([sum(ana, 'peerDown'), sum(ben, 'peerDown')]).toEqual([1, 1])
      expect([sum(ana, 'peerUp'), sum(ben, 'peerUp')]).toEqual([1, 1])
    })

    it('sends into the void when the peer is gone', async () => {
      ana.perform({ kind: 'disconnect', peer: ben.id })
      await until(() => has(ana, 'peerDown')() && has(ben, 'peerDown')())
      ana.perform({ kind: 'send', to: ben.id, message: { kind: 'leave' } })
      await pass(100)
      expect(received(ben)).toEqual([])
    })

    it('is woken when it asked for it, and not before', async () => {
      const askedMs = ana.nowMs()
      ana.perform({ kind: 'wake', timer: 'round', afterMs: 50 })
      await until(has(ana, 'wake'))
      expect(wakes(ana)).toEqual(['round'])
      expect(ana.nowMs() - askedMs).toBeGreaterThan(49) // timers of Node may be a fraction early
    })

    it.each([
      ['later', 20, 60],
      ['earlier', 120, 20]
    ])('is woken once when it asks again for the same wake, %s', async (_, firstMs, secondMs) => {
      ana.perform({ kind: 'wake', timer: 'round', afterMs: firstMs })
      ana.perform({ kind: 'wake', timer: 'exchange', afterMs: 80 })
      ana.perform({ kind: 'wake', timer: 'round', afterMs: secondMs })
      ana.perform({ kind: 'wake', timer: 'join', afterMs: 200 })
      await until(() => wakes(ana).includes('join'))
      expect(wakes(ana)).toEqual(['round', 'exchange', 'join'])
    })

    it('is answered when it asks to adopt, train, merge, evaluate and save', async () => {
      await adopt(ana)
      ana.perform({ kind: 'train', state, steps: 2 })
      await until(has(ana, 'trained'))
      const model = (from: string, value: number) => {
        const parameters = state.parameters.map(() => value)
        return { from, parameters, weight: 1, lineage, age: value }
      }
      ana.perform({
        kind: 'merge',
        job: { own: model('ana', 2), others: [model('ben', 4)], dice: 'merge', bestLoss: Infinity }
      })
      await until(has(ana, 'merged'))
      ana.perform({ kind: 'evaluate', round: 5, parameters: state.parameters.map(() => 9) })
      await until(has(ana, 'evaluated'))
      ana.perform({ kind: 'save', checkpoint })
      await until(has(ana, 'saved'))

      const answers = ana.inputs.filter(({ kind }) =>
        ['adopted', 'trained', 'merged', 'evaluated', 'saved'].includes(kind)
      )
      expect(answers).toEqual([
        { kind: 'adopted', samples: trainer.samples },
        { kind: 'trained', result: new CountingTrainer().train(state, 2) },
        {
          kind: 'merged',
          result: expect.objectContaining({
            parameters: state.parameters.map(() => 3),
            lineage,
            age: 3,
            rolledBack: false
          }) as unknown
        },
        { kind: 'evaluated', round: 5, evaluation: { loss: 0.25, accuracy: 0.9 } },
        { kind: 'saved', round: 3 }
      ])
      await ana.stop()
      expect(await ana.saved()).toEqual(checkpoint)
    })

    it('is told nothing more once its life is over: no wake, no answer, no message', async () => {
      await adopt(ana)
      ana.perform({ kind: 'wake', timer: 'round', afterMs: 600 })
      const stopped = ana.stop()
      ben.perform({ kind: 'send', to: ana.id, message: { kind: 'leave' } })
      await stopped
      const told = ana.inputs.length
      await pass(800)
      expect(ana.inputs.slice(told)).toEqual([])
      expect(wakes(ana)).toEqual([])
    })

    it('does nothing any more once its life is over', async () => {
      await adopt(ana)
      await adopt(ben)
      await ana.stop()
      const [told, asked, happened] = [ana.inputs.length, trainer.asked, ana.events.length]

      const effects: ParticipantEffect[] = [
        { kind: 'send', to: ben.id, message: { kind: 'leave' } },
        { kind: 'wake', timer: 'round', afterMs: 0 },
        { kind: 'adopt', task },
        { kind: 'train', state, steps: 1 },
        { kind: 'evaluate', round: 1, parameters: state.parameters },
        { kind: 'save', checkpoint },
        { kind: 'emit', event },
        { kind: 'disconnect', peer: ben.id }
      ]
      for (const effect of effects) ana.perform(effect)
      await pass(200)

      expect(ana.inputs.slice(told)).toEqual([])
      expect(ana.events.slice(happened)).toEqual([])
      expect(trainer.asked).toBe(asked)
      expect(received(ben)).toEqual([])
      expect(await ana.saved()).toBeNull()
    })

    it('tells the world what it emits', async () => {
      ana.perform({ kind: 'emit', event })
      await until(() => ana.events.some(({ kind }) => kind === 'finished'))
      expect(ana.events).toContainEqual(event)
    })
  })
}
