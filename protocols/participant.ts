import type { Machine } from '../src/core/machine.ts'
import { present } from '../src/core/assert.ts'
import { courtesiesPerSecondMax } from '../src/core/limits.ts'
import { firstState, type Task } from '../src/learning/task.ts'
import type { MergeResult } from '../src/learning/merge/merge.ts'
import type { TrainResult, TrainState } from '../src/learning/training.ts'
import { Acquaintance } from './acquaintance.ts'
import { Cadence } from './cadence.ts'
import { Frequency } from './frequency.ts'
import { createExchange, createSettling, type ExchangeParts } from './exchange/create.ts'
import type { Exchange, Outcome } from './exchange/exchange.ts'
import { Joining } from './joining.ts'
import { LocalModel, type Ours } from './local-model.ts'
import type { Neighbour } from './membership.ts'
import type {
  Hello,
  Message,
  PeerId,
  Peers,
  StateMessage,
  TaskMessage,
  Update,
  Want
} from './messages.ts'
import type {
  Evaluation,
  ParticipantComponents,
  ParticipantEffect,
  ParticipantEvent,
  ParticipantInput,
  ParticipantOptions,
  Rejection,
  Timer
} from './participant-io.ts'
import { Saving } from './saving.ts'
import { Serving } from './serving.ts'
import { Settling } from './settling.ts'
import { takeSnapshot, type ParticipantState, type Snapshot } from './snapshot.ts'
import { Tally } from './tally.ts'

export const participantDefaults: ParticipantOptions = {
  roundsMax: Infinity,
  saveEveryRounds: 1,
  evaluateEveryRounds: 1,
  quorum: 0,
  joinWaitMs: 15_000,
  degree: 8,
  membershipIntervalMs: 5_000,
  catchUp: 'state',
  partners: null,
  version: ''
}

const retryTrainingMs = 5_000
/** A peer without data does not spin: nothing but messages from others makes its rounds worth more. */
const idleRoundMs = 1_000

/** One peer's whole life in one task: join, train, trade, merge, save, leave. */
export function participant(
  options: Partial<ParticipantOptions> = {}
): (components: ParticipantComponents) => Participant {
  return (components) => new Participant(components, { ...participantDefaults, ...options })
}

/**
 * The root machine. It owns the life (which state comes after which); what it knows of others is
 * in Acquaintance, what it trades in an Exchange, what it waits for and fetches in Joining.
 *
 *     joining → training → exchanging → (waiting) → training → … → finished → stopped
 */
export class Participant implements Machine<ParticipantInput, ParticipantEffect> {
  readonly #components: ParticipantComponents
  readonly #options: ParticipantOptions
  readonly #ours: Writable<Ours>
  readonly #acquaintance: Acquaintance
  readonly #joining: Joining
  readonly #saving: Saving
  readonly #serving = new Serving()
  readonly #tally = new Tally()
  readonly #courtesies = new Frequency(courtesiesPerSecondMax)
  #state: ParticipantState = 'joining'
  #exchange: Exchange | undefined
  #cadence: Cadence | undefined
  /** Agreement is sought once all rounds are done. */
  #settling: Settling | undefined
  #evaluation: Snapshot['evaluation'] = null
  #roundStartMs = 0
  #tradeStartMs = 0
  #trainStart = { ms: 0, steps: 1 }
  #nowMs = 0
  #effects: ParticipantEffect[] = []

  constructor(components: ParticipantComponents, options: ParticipantOptions) {
    const { task, random, wanted, checkpoint } = components
    const ours: Writable<Ours> = { task, model: undefined }
    const acquaintance = new Acquaintance({ ...components, ours }, options)
    this.#components = components
    this.#options = options
    this.#ours = ours
    this.#acquaintance = acquaintance
    this.#joining = new Joining({ random, ours, acquaintance, wanted }, options)
    this.#saving = new Saving(ours, checkpoint?.round ?? null)
  }

  get task(): Task | null {
    return this.#ours.task
  }

  /** The model as it is now; undefined before there is one. Arrays are not written to. */
  get model(): TrainState | undefined {
    return this.#ours.model?.state
  }

  handle(input: ParticipantInput, nowMs: number): readonly ParticipantEffect[] {
    this.#nowMs = nowMs
    this.#effects = []
    if (this.#state !== 'stopped' || input.kind === 'saved' || input.kind === 'saveFailed') {
      this.#take(input)
    }
    return this.#effects
  }

  #take(input: ParticipantInput): void {
    switch (input.kind) {
      case 'start':
        return this.#start()
      case 'listening':
        return this.#do(...this.#acquaintance.listening(input.addresses))
      case 'peerUp':
        return this.#do(...this.#acquaintance.peerUp(input.peer, this.#nowMs))
      case 'peerDown':
        return this.#peerDown(input.peer)
      case 'unreachable':
        return this.#acquaintance.unreachable(input.peer, this.#nowMs)
      case 'discovered':
        return this.#do(...this.#acquaintance.learn(input.contacts, this.#nowMs))
      case 'message':
        return this.#received(input.from, input.message)
      case 'malformed':
        return this.#reject(input.from, input.reason)
      case 'wake':
        return this.#woken(input.timer)
      case 'adopted':
        return this.#adopted(input.samples)
      case 'unfit':
        this.#emit({ kind: 'trouble', what: input.reason })
        return this.#leave()
      case 'trained':
        return this.#trained(input.result)
      case 'trainFailed':
        this.#emit({ kind: 'trouble', what: input.reason })
        return this.#wake('retry-training', retryTrainingMs)
      case 'merged':
        return this.#merged(input.result)
      case 'mergeFailed':
        this.#emit({ kind: 'trouble', what: input.reason })
        return this.#merged(null)
      case 'evaluated':
        return this.#evaluated(input.round, input.evaluation)
      case 'saved':
        this.#saving.saved(input.round)
        return this.#emit({ kind: 'saved', round: input.round })
      case 'saveFailed':
        this.#saving.failed()
        return this.#emit({ kind: 'trouble', what: input.reason })
      case 'leave':
        return this.#leave()
    }
  }

  // --- joining --------------------------------------------------------------------------------

  #start(): void {
    const { task } = this.#ours
    this.#do(this.#acquaintance.nextLook(), ...this.#joining.start(this.#nowMs))
    if (task !== null) this.#adopt(task, null)
  }

  #adopt(task: Task, from: PeerId | null): void {
    this.#ours.task = task
    this.#emit({ kind: 'task-adopted', task: task.cid, from })
    this.#do({ kind: 'adopt', task })
  }

  /** The body is ready to train: make or restore the model, and tell everybody whom they deal with. */
  #adopted(samples: number): void {
    const task = present(this.#ours.task, 'the task of an adoption')
    const { random, checkpoint } = this.#components
    const first = new LocalModel(firstState(task, random.fork('init')))
    const restored = checkpoint && LocalModel.restore(checkpoint, task, first.lineage)
    if (restored === undefined) {
      const what = `the checkpoint is of another task (${checkpoint?.task})`
      this.#emit({ kind: 'trouble', what })
    }
    const model = restored ?? first
    model.samples = samples
    this.#ours.model = model
    this.#exchange = createExchange(task, this.#exchangeParts(task, model, 'exchange'))
    if (this.#cadence?.waitsForEver === true) {
      const what =
        'the task has peers trade more in a window of their rounds, but this node has no last round, ' +
        'so the window never comes; give it a number of rounds'
      this.#emit({ kind: 'trouble', what })
    }
    this.#do(...this.#acquaintance.greetAll())
    this.#tryBegin()
  }

  #exchangeParts(task: Task, model: LocalModel, purpose: string): ExchangeParts {
    const { self, random } = this.#components
    const { exchange, training } = task.manifest
    this.#cadence ??= new Cadence({
      exchange,
      localSteps: training.localSteps,
      roundsMax: this.#options.roundsMax,
      dice: exchange.mode === 'rounds' ? task.cid : random.fork('cadence').path
    })
    const neighbours = (): readonly Neighbour[] => this.#acquaintance.neighbours
    return {
      self,
      random: random.fork(purpose),
      model,
      neighbours,
      addresses: () => this.#acquaintance.addresses,
      cadence: this.#cadence,
      roundsMax: this.#options.roundsMax,
      partners: this.#options.partners
    }
  }

  /** Begin the first round, unless there is somebody to wait for or something to fetch first. */
  #tryBegin(): void {
    if (this.#state !== 'joining') return
    const { effects, ready } = this.#joining.step(this.#nowMs)
    this.#do(...effects)
    if (!ready) return
    this.#do(...this.#acquaintance.greetAll()) // from our round on, others wait for us
    this.#beginRound()
  }

  #joinDue(): void {
    if (this.#state !== 'joining') return
    this.#do(...this.#joining.due())
    this.#tryBegin()
  }

  #receivedTask(from: PeerId, message: TaskMessage): void {
    const task = this.#joining.receivedTask(from, message)
    if (typeof task !== 'string') return this.#adopt(task, from)
    this.#reject(from, task)
    this.#tryBegin()
  }

  #receivedState(from: PeerId, message: StateMessage): void {
    const { task, model } = this.#active()
    const fault = this.#joining.receivedState(from, message, task, model)
    if (fault !== undefined) this.#reject(from, fault)
    else this.#emit({ kind: 'caught-up', from, round: message.round, age: message.age })
    this.#tryBegin()
  }

  // --- a round --------------------------------------------------------------------------------

  #beginRound(): void {
    const { model, task } = this.#active()
    if (model.round >= this.#options.roundsMax) return this.#finish(model)
    if (this.#joining.isBehind(task, model)) {
      this.#state = 'joining'
      return this.#tryBegin()
    }
    this.#roundStartMs = this.#nowMs
    if (model.samples === 0 || this.#exchange?.rests === true) return this.#trade()
    this.#state = 'training'
    this.#train(model)
  }

  #train(model: LocalModel): void {
    const { steps } = present(this.#cadence, 'the cadence')
    this.#trainStart = { ms: this.#nowMs, steps }
    this.#do({ kind: 'train', state: model.train(), steps })
  }

  #trained(result: TrainResult): void {
    if (this.#state !== 'training') return
    const { model } = this.#active()
    model.trained(result)
    this.#cadence?.trained(this.#trainStart.steps, this.#nowMs - this.#trainStart.ms)
    if (result.rolledBack) this.#emit({ kind: 'rolled-back', round: model.round })
    this.#emit({ kind: 'trained', round: model.round, loss: result.loss, samples: result.samples })
    this.#trade()
  }

  #trade(): void {
    this.#state = 'exchanging'
    if (this.#cadence?.trades(this.#active().model.round) === false) return this.#finishRound()
    this.#tradeStartMs = this.#nowMs
    this.#came(present(this.#exchange, 'the exchange').begin(this.#nowMs))
  }

  #merged(result: MergeResult | null): void {
    if (result !== null) this.#settling?.merged(result.distance)
    this.#came(present(this.#exchange, 'the exchange').merged(result, this.#nowMs))
  }

  /** Something came of an exchange; when it ends ours, so does the round. */
  #came(outcome: Outcome): void {
    this.#do(...outcome.effects)
    if (!outcome.over) return
    if (this.#state === 'settling') return this.#agreeFurther()
    if (this.#state !== 'exchanging') return
    this.#cadence?.traded(this.#nowMs - this.#tradeStartMs)
    this.#finishRound()
  }

  #finishRound(): void {
    const { model, task } = this.#active()
    const { roundsMax, evaluateEveryRounds, saveEveryRounds } = this.#options
    model.round++
    this.#emit({ kind: 'round-finished', round: model.round })
    if (model.round >= roundsMax) return this.#finish(model)
    if (isDue(model.round, evaluateEveryRounds)) this.#evaluate(model)
    if (isDue(model.round, saveEveryRounds)) this.#do(...this.#saving.save())

    const { mode, intervalMs } = task.manifest.exchange
    const tookNoTime = this.#nowMs === this.#roundStartMs // nothing to train, nobody to wait for
    const isIdle = model.samples === 0 && (mode === 'gossip' || tookNoTime)
    const lengthMs = isIdle ? Math.max(intervalMs, idleRoundMs) : intervalMs
    const restMs = this.#roundStartMs + lengthMs - this.#nowMs
    if (restMs <= 0) return this.#beginRound()
    this.#state = 'waiting'
    this.#wake('round', restMs)
  }

  #finish(model: LocalModel): void {
    const { task } = this.#active()
    const { finalMerge } = task.manifest.exchange
    if (finalMerge !== undefined && this.#settling === undefined) {
      this.#settling = new Settling(finalMerge, this.#components.random)
      // Gossip settles as it is: a merge that is under way there still gets its answer.
      if (task.manifest.exchange.mode === 'rounds') {
        this.#exchange = createSettling(task, this.#exchangeParts(task, model, 'settling'))
      }
      this.#do(...this.#acquaintance.greetAll()) // no update will tell how far we are any more
      return this.#seekAgreement()
    }
    const { evaluateEveryRounds, saveEveryRounds } = this.#options
    this.#state = 'finished'
    model.finished = true
    if (evaluateEveryRounds > 0) this.#evaluate(model)
    if (saveEveryRounds > 0) this.#do(...this.#saving.save())
    this.#emit({ kind: 'finished', round: model.round })
    this.#do(...this.#acquaintance.greetAll()) // no update will tell how far we are any more
  }

  /** Trade with one random peer after another, without training, until all agree. */
  #seekAgreement(): void {
    this.#state = 'settling'
    this.#came(present(this.#exchange, 'the exchange').begin(this.#nowMs))
  }

  #agreeFurther(): void {
    const restMs = present(this.#settling, 'settling').traded()
    if (restMs === undefined) return this.#finish(this.#active().model)
    this.#wake('round', restMs)
  }

  #evaluate({ round, parameters }: LocalModel): void {
    this.#do({ kind: 'evaluate', round, parameters })
  }

  #evaluated(round: number, evaluation: Evaluation): void {
    this.#evaluation = { round, ...evaluation }
    this.#emit({ kind: 'evaluated', round, evaluation })
  }

  #leave(): void {
    this.#state = 'stopped'
    for (const { peer } of this.#acquaintance.connected) this.#send(peer, { kind: 'leave' })
    this.#do(...this.#saving.saveLast())
  }

  // --- peers ----------------------------------------------------------------------------------

  #peerDown(peer: PeerId): void {
    const farewell = this.#acquaintance.peerDown(peer, this.#nowMs)
    this.#courtesies.forget(peer)
    this.#forget(peer)
    this.#do(...farewell, ...this.#acquaintance.fill(this.#nowMs))
  }

  /** A life of this peer is over: what it owes us will not come. */
  #forget(peer: PeerId): void {
    this.#serving.forget(peer)
    this.#joining.giveUp(peer)
    if (this.#exchange !== undefined) this.#came(this.#exchange.peerDown(peer, this.#nowMs))
    this.#tryBegin()
  }

  #received(from: PeerId, message: Message): void {
    if (this.#acquaintance.peer(from) === undefined) return // banned, or gone meanwhile
    if (isCourtesy(message) && this.#courtesies.exceeds(from, this.#nowMs)) {
      return this.#reject(from, 'flood')
    }
    switch (message.kind) {
      case 'hello':
        return this.#receivedHello(from, message)
      case 'want':
        return this.#receivedWant(from, message)
      case 'task':
        return this.#receivedTask(from, message)
      case 'leave':
        return this.#receivedLeave(from)
      case 'peers':
        return this.#receivedPeers(from, message)
      case 'state':
      case 'update':
      case 'decline':
      case 'view':
      case 'ping':
      case 'pong':
        if (!this.#acquaintance.isIntroduced(from) || this.#exchange === undefined) {
          return this.#reject(from, 'unintroduced')
        }
    }
    switch (message.kind) {
      case 'state':
        return this.#receivedState(from, message)
      case 'update':
        return this.#receivedUpdate(from, message)
      case 'view':
      case 'ping':
      case 'pong':
        if (this.#exchange.heard === undefined) return this.#reject(from, 'unexpected')
        if (this.#state === 'joining' && message.kind !== 'view') return // not with us yet
        return this.#settle(from, this.#exchange.heard(from, message, this.#nowMs))
      case 'decline':
        if (message.exchange !== 0) {
          return this.#settle(from, this.#exchange.declined(from, message.exchange))
        }
        this.#joining.giveUp(from)
        return this.#tryBegin()
    }
  }

  #receivedHello(from: PeerId, hello: Hello): void {
    const introduction = this.#acquaintance.hello(from, hello, this.#nowMs)
    if (typeof introduction === 'string') return this.#reject(from, introduction)
    const { effects, who } = introduction
    this.#do(...effects)
    if (who === 'reborn') this.#forget(from)
    if (
      who !== 'stranger' &&
      this.#exchange !== undefined &&
      this.#acquaintance.isIntroduced(from)
    ) {
      this.#came(this.#exchange.met(from, this.#nowMs))
    }
    if (who === 'new' || who === 'helper') this.#tryBegin()
  }

  #receivedPeers(from: PeerId, peers: Peers): void {
    if (!this.#acquaintance.isTeller(from)) return this.#reject(from, 'unintroduced')
    const effects = this.#acquaintance.told(from, peers, this.#nowMs)
    if (typeof effects === 'string') return this.#reject(from, effects)
    this.#do(...effects)
  }

  #receivedWant(from: PeerId, want: Want): void {
    const introduced = this.#acquaintance.isIntroduced(from)
    const answer = this.#serving.answer(from, introduced, want, this.#ours, this.#nowMs)
    if (typeof answer !== 'string') return this.#send(from, answer)
    if (answer === 'full') this.#send(from, { kind: 'decline', exchange: 0 })
    this.#reject(from, answer)
  }

  #receivedUpdate(from: PeerId, update: Update): void {
    const exchange = present(this.#exchange, 'the exchange')
    this.#acquaintance.progressed(from, update)
    if (this.#state === 'joining') {
      if (update.phase === 'push') this.#send(from, { kind: 'decline', exchange: update.exchange })
      if (update.phase !== 'round') return
    }
    // All rounds are done here, and there a straggler is still at one.
    if (this.#settling !== undefined && update.phase === 'round') return this.#reject(from, 'stale')
    const outcome = exchange.receive(from, update, this.#nowMs)
    if (outcome.rejected === 'future' && this.#state === 'joining') return // not with us yet
    if (outcome.rejected === 'full' && update.phase === 'push') {
      this.#send(from, { kind: 'decline', exchange: update.exchange })
    }
    this.#settle(from, outcome)
  }

  #receivedLeave(from: PeerId): void {
    const farewell = this.#acquaintance.left(from)
    this.#exchange?.left?.(from)
    this.#forget(from)
    this.#do(...farewell)
  }

  #settle(from: PeerId, outcome: Outcome): void {
    if (outcome.rejected !== undefined) this.#reject(from, outcome.rejected)
    this.#came(outcome)
  }

  #reject(peer: PeerId, reason: Rejection): void {
    this.#emit({ kind: 'rejected', peer, reason })
    const forMs = this.#acquaintance.offended(peer, reason, this.#nowMs)
    if (forMs === undefined) return
    this.#emit({ kind: 'banned', peer, forMs })
    this.#forget(peer)
    this.#do({ kind: 'disconnect', peer })
  }

  // --- small things ---------------------------------------------------------------------------

  #woken(timer: Timer): void {
    switch (timer) {
      case 'join':
        return this.#joinDue()
      case 'round':
        if (this.#state === 'waiting') this.#beginRound()
        if (this.#state === 'settling') this.#seekAgreement()
        return
      case 'exchange':
        if (this.#exchange !== undefined) this.#came(this.#exchange.deadline(this.#nowMs))
        return
      case 'membership':
        return this.#tend()
      case 'retry-training':
        if (this.#state === 'training') this.#train(this.#active().model)
        return
    }
  }

  #tend(): void {
    const isInUse = (peer: PeerId): boolean => this.#exchange?.isInUse(peer) === true
    this.#do(...this.#acquaintance.tend(this.#nowMs, isInUse))
    if (this.#exchange?.tend !== undefined) this.#came(this.#exchange.tend(this.#nowMs))
  }

  #active(): { readonly task: Task; readonly model: LocalModel } {
    return {
      task: present(this.#ours.task, 'the task'),
      model: present(this.#ours.model, 'the model')
    }
  }

  #send(to: PeerId, message: Message): void {
    this.#do({ kind: 'send', to, message })
  }

  #wake(timer: Timer, afterMs: number): void {
    this.#do({ kind: 'wake', timer, afterMs })
  }

  #emit(event: ParticipantEvent): void {
    this.#do({ kind: 'emit', event })
  }

  #do(...effects: readonly ParticipantEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'emit') this.#tally.count(effect.event)
      this.#effects.push(effect)
    }
  }

  snapshot(): Snapshot {
    return takeSnapshot({
      self: this.#components.self,
      state: this.#state,
      ours: this.#ours,
      evaluation: this.#evaluation,
      acquaintance: this.#acquaintance,
      tally: this.#tally,
      nowMs: this.#nowMs,
      lastSavedRound: this.#saving.lastRound
    })
  }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** What costs its sender next to nothing and us an answer, a search or a dial. */
function isCourtesy({ kind }: Message): boolean {
  return kind === 'hello' || kind === 'want' || kind === 'peers'
}

function isDue(round: number, every: number): boolean {
  return every > 0 && round % every === 0
}
