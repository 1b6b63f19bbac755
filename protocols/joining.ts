import { claimMax } from '../src/core/limits.ts'
import type { Task } from '../src/learning/task.ts'
import type { Acquaintance } from './acquaintance.ts'
import { CatchUp } from './catchup.ts'
import type { LocalModel, Ours } from './local-model.ts'
import type { Neighbour } from './membership.ts'
import type { PeerId, StateMessage, TaskMessage } from './messages.ts'
import type {
  ParticipantComponents,
  ParticipantEffect,
  ParticipantOptions,
  Rejection
} from './participant-io.ts'
import { isBehind, jumpToSwarm, peersAhead, type PaceOptions } from './pace.ts'

export interface JoiningComponents extends Pick<ParticipantComponents, 'random' | 'wanted'> {
  readonly ours: Ours
  readonly acquaintance: Acquaintance
}

export type JoiningOptions = Pick<
  ParticipantOptions,
  'roundsMax' | 'quorum' | 'joinWaitMs' | 'catchUp'
>

/** What comes of one step of joining. */
export interface Joined {
  readonly effects: readonly ParticipantEffect[]
  /** There is nothing left to wait for or to fetch: the next round can begin. */
  readonly ready: boolean
}

/** The way to a first round, and back to the swarm's: a quorum, the task, the newest parameters. */
export class Joining {
  readonly #components: JoiningComponents
  readonly #options: JoiningOptions
  readonly #catchUp: CatchUp
  #untilMs = Infinity
  /** Tasks that helpers offered when we last said so: somebody has to choose. */
  #offered = ''

  constructor(components: JoiningComponents, options: JoiningOptions) {
    this.#components = components
    this.#options = options
    this.#catchUp = new CatchUp(components.random.fork('catch-up'))
  }

  start(nowMs: number): readonly ParticipantEffect[] {
    const { quorum, joinWaitMs } = this.#options
    this.#untilMs = nowMs + joinWaitMs
    return quorum > 0 || this.#components.ours.task === null ? [wake(joinWaitMs)] : []
  }

  /** Ask for what is missing, unless somebody is asked already. */
  step(nowMs: number): Joined {
    const { ours, acquaintance } = this.#components
    const { task, model } = ours
    if (task === null) return this.#askForTask()
    if (model === undefined) return wait()
    const { neighbours } = acquaintance
    const { quorum, joinWaitMs } = this.#options
    if (neighbours.length < quorum && nowMs < this.#untilMs) {
      // The timer may have rung for another question, or the clock be behind where it was.
      return wait(wake(Math.min(this.#untilMs - nowMs, joinWaitMs)))
    }

    const pace = this.#pace(task)
    const ahead = this.#options.catchUp === 'none' ? [] : peersAhead(model, neighbours, pace)
    const question = this.#catchUp.ask('state', ahead)
    if (this.#catchUp.isWaiting) {
      return wait(...question, wake(task.manifest.exchange.deadlineMs))
    }
    this.#catchUp.reset()
    jumpToSwarm(model, neighbours, pace)
    return { effects: [], ready: true }
  }

  /** Nobody answered in time. @returns what to do before the next step */
  due(): readonly ParticipantEffect[] {
    this.#catchUp.giveUp()
    if (this.#components.ours.task !== null) return []
    const what = 'no peer has given us a task yet; still asking'
    return [{ kind: 'emit', event: { kind: 'trouble', what } }, wake(this.#options.joinWaitMs)]
  }

  /** This peer will not answer. */
  giveUp(peer: PeerId): void {
    this.#catchUp.giveUp(peer)
  }

  /** @returns the task, or why it is not welcome */
  receivedTask(from: PeerId, message: TaskMessage): Task | Rejection {
    return this.#catchUp.receiveTask(from, message)
  }

  /** Go on from a peer's model. @returns undefined when that is done, else why not */
  receivedState(
    from: PeerId,
    message: StateMessage,
    task: Task,
    model: LocalModel
  ): Rejection | undefined {
    const fault = this.#catchUp.receiveState(from, message, task.layout)
    if (fault !== undefined) return fault
    const age = Math.max(model.age, Math.min(message.age, claimMax))
    model.adopt(message.parameters, message.lineage, age)
    jumpToSwarm(model, this.#components.acquaintance.neighbours, this.#pace(task))
    return undefined
  }

  /** The swarm went on without us: join again. */
  isBehind(task: Task, model: LocalModel): boolean {
    return isBehind(model, this.#components.acquaintance.neighbours, this.#pace(task))
  }

  #askForTask(): Joined {
    const { wanted, acquaintance } = this.#components
    const candidates = acquaintance.connected.filter(
      ({ task }) => typeof task === 'string' && (wanted === null || task === wanted)
    )
    const offers = offersOf(acquaintance.connected)
    const offered = wanted ?? (offers.length === 1 ? offers[0] : undefined)
    const helpers = acquaintance.connected.filter(({ offers }) => offers.includes(offered ?? ''))
    const question = this.#catchUp.ask('task', [
      ...candidates,
      ...helpers.map((helper) => ({ ...helper, task: offered }))
    ])
    if (this.#catchUp.isWaiting) return wait(...question, wake(this.#options.joinWaitMs))
    return wait(...(offered === undefined ? this.#letChoose(offers) : []))
  }

  /** Several swarms meet at our helpers: which of them we are to join, nobody can guess. */
  #letChoose(offers: readonly string[]): readonly ParticipantEffect[] {
    if (offers.length < 2 || offers.join() === this.#offered) return []
    this.#offered = offers.join()
    const what =
      `${offers.length} tasks are known where we asked: ${offers.join(', ')}. ` +
      'Name the one to work on: --task CID'
    return [{ kind: 'emit', event: { kind: 'trouble', what } }]
  }

  #pace({ manifest }: Task): PaceOptions {
    return { mode: manifest.exchange.mode, roundsMax: this.#options.roundsMax }
  }
}

/** Each once, in order. */
function offersOf(connected: readonly Neighbour[]): readonly string[] {
  return [...new Set(connected.flatMap(({ offers }) => offers))].sort()
}

function wait(...effects: readonly ParticipantEffect[]): Joined {
  return { effects, ready: false }
}

function wake(afterMs: number): ParticipantEffect {
  return { kind: 'wake', timer: 'join', afterMs }
}
