import { StarlingError } from '../src/core/errors.ts'
import type { Random } from '../src/core/random.ts'
import type { Layout } from '../src/learning/layout.ts'
import { decodeTask, type Task } from '../src/learning/task.ts'
import { inspect } from './exchange/gate.ts'
import type { PeerId, StateMessage, TaskMessage } from './messages.ts'
import type { ParticipantEffect, Rejection } from './participant-io.ts'
import type { PeerRecord } from './records/record.ts'

/** Somebody to ask. */
export interface Source {
  readonly peer: PeerId
  /** CID of the task that it works on, or gives. */
  readonly task?: string | null | undefined
  readonly role: PeerRecord['role']
}

/**
 * What a newcomer fetches before it speaks: the task manifest, then the newest parameters. One
 * question at a time, to one random peer; a peer that does not answer is not asked again.
 */
export class CatchUp {
  readonly #random: Random
  readonly #asked = new Set<string>()
  #question: (Source & { readonly what: 'task' | 'state' }) | undefined

  constructor(random: Random) {
    this.#random = random
  }

  get isWaiting(): boolean {
    return this.#question !== undefined
  }

  /** Ask one of the peers, if there is one that was not asked before and no question is open. */
  ask(what: 'task' | 'state', sources: readonly Source[]): readonly ParticipantEffect[] {
    if (this.#question !== undefined) return []
    const fresh = sources.filter(({ peer }) => !this.#asked.has(`${what} ${peer}`))
    if (fresh.length === 0) return []

    const { peer, role, task } = this.#random.pick(fresh)
    this.#question = { peer, role, task, what }
    this.#asked.add(`${what} ${peer}`)
    const named = role === 'helper' ? (task ?? null) : null // a peer has one task only
    return [{ kind: 'send', to: peer, message: { kind: 'want', what, task: named } }]
  }

  /** Nothing came in time, or the peer went: the next call of ask() asks another. */
  giveUp(peer?: PeerId): void {
    if (peer === undefined || this.#question?.peer === peer) this.#question = undefined
  }

  /** The next catching up may ask everybody again. */
  reset(): void {
    this.#question = undefined
    this.#asked.clear()
  }

  /** @returns the task, or why it is not welcome: among others, that another was promised */
  receiveTask(from: PeerId, message: TaskMessage): Task | Rejection {
    const promised = this.#question?.task
    if (!this.#answers(from, 'task')) return 'unexpected'
    try {
      const task = decodeTask(message.manifest)
      return task.cid === promised ? task : 'task'
    } catch (error) {
      if (error instanceof StarlingError) return 'task'
      throw error
    }
  }

  /** @returns undefined when the parameters may be adopted, else why not */
  receiveState(from: PeerId, message: StateMessage, layout: Layout): Rejection | undefined {
    if (!this.#answers(from, 'state')) return 'unexpected'
    return inspect(message, layout)
  }

  #answers(from: PeerId, what: 'task' | 'state'): boolean {
    if (this.#question?.peer !== from || this.#question.what !== what) return false
    this.#question = undefined
    return true
  }
}
