import type { PeerId, Update } from '../messages.ts'
import type { ParticipantEffect } from '../participant-io.ts'
import {
  over,
  rejected,
  underWay,
  type Exchange,
  type ExchangeComponents,
  type ExchangeOptions,
  type Outcome
} from './exchange.ts'
import { inspect } from './gate.ts'
import { mergeWith } from './weights.ts'

/** Models merged from one sender in one of our rounds: a flood moves us no further than this. */
const pushesPerRoundMax = 2
/** A participant that has finished its rounds counts time instead. */
const finishedRoundMs = 1_000

/** In a pair both have one neighbour, so Metropolis weights are a half each. */
const pairDegree = 1

/**
 * Asynchronous pairwise push-pull gossip. Once a round, push our model to one random neighbour;
 * it merges, and replies with the model that it had before, which we merge. When nothing comes in
 * between, both end with the same average and the swarm's mean is preserved (Boyd et al.,
 * "Randomized gossip algorithms", 2006).
 */
export class Gossip implements Exchange {
  readonly #components: ExchangeComponents
  readonly #options: ExchangeOptions
  readonly #latest = new Map<PeerId, number>()
  readonly #pushes = new Map<PeerId, { epoch: number; count: number }>()
  #sequence = 0
  #asked: { partner: PeerId; exchange: number } | undefined

  constructor(components: ExchangeComponents, options: ExchangeOptions) {
    this.#components = components
    this.#options = options
  }

  begin(): Outcome {
    const { neighbours, random } = this.#components
    const candidates = neighbours()
    if (candidates.length === 0) return over

    const { peer: partner } = random.pick(candidates)
    this.#asked = { partner, exchange: ++this.#sequence }
    return {
      effects: [
        this.#sendModel(partner, 'push', this.#sequence),
        { kind: 'wake', timer: 'exchange', afterMs: this.#options.deadlineMs }
      ],
      over: false
    }
  }

  receive(from: PeerId, update: Update, nowMs: number): Outcome {
    switch (update.phase) {
      case 'push':
        return this.#pushed(from, update, nowMs)
      case 'reply':
        return this.#replied(from, update)
      case 'round':
        return rejected('unexpected')
    }
  }

  declined(from: PeerId, exchange: number): Outcome {
    return this.#isAnswer(from, exchange) ? this.#end([]) : this.#tooLate(exchange)
  }

  peerDown(peer: PeerId): Outcome {
    this.#latest.delete(peer)
    this.#pushes.delete(peer)
    return this.#asked?.partner === peer ? this.#fail() : underWay
  }

  deadline(): Outcome {
    return this.#asked === undefined ? underWay : this.#fail()
  }

  #pushed(from: PeerId, update: Update, nowMs: number): Outcome {
    if (update.exchange <= (this.#latest.get(from) ?? 0)) return rejected('stale')
    if (!this.#hasRoomFor(from, nowMs)) return rejected('full')
    const fault = inspect(update.parameters, this.#components.layout)
    if (fault !== undefined) return rejected(fault)

    this.#latest.set(from, update.exchange)
    const reply = this.#sendModel(from, 'reply', update.exchange) // as it is before we merge theirs
    return { effects: [reply, this.#merge(from, update)], over: false }
  }

  #replied(from: PeerId, update: Update): Outcome {
    if (!this.#isAnswer(from, update.exchange)) return this.#tooLate(update.exchange)
    const fault = inspect(update.parameters, this.#components.layout)
    if (fault !== undefined) return rejected(fault)

    return this.#end([this.#merge(from, update)])
  }

  #hasRoomFor(peer: PeerId, nowMs: number): boolean {
    const { model } = this.#components
    const epoch = model.finished ? Math.floor(nowMs / finishedRoundMs) : model.round
    const pushes = this.#pushes.get(peer)
    const count = pushes?.epoch === epoch ? pushes.count : 0
    if (count >= pushesPerRoundMax) return false
    this.#pushes.set(peer, { epoch, count: count + 1 })
    return true
  }

  #isAnswer(from: PeerId, exchange: number): boolean {
    return this.#asked?.partner === from && this.#asked.exchange === exchange
  }

  /** A slow peer's answer to a question that we gave up on is no offence; one to none of ours is. */
  #tooLate(exchange: number): Outcome {
    return rejected(exchange <= this.#sequence ? 'stale' : 'unexpected')
  }

  #merge(from: PeerId, update: Update): ParticipantEffect {
    const { model } = this.#components
    model.merged(mergeWith(this.#components, new Map([[from, update]]), pairDegree))
    return { kind: 'emit', event: { kind: 'merged', round: model.round, with: [from] } }
  }

  #fail(): Outcome {
    const { round } = this.#components.model
    const peers = this.#asked === undefined ? [] : [this.#asked.partner]
    return this.#end([{ kind: 'emit', event: { kind: 'exchange-failed', round, peers } }])
  }

  #end(effects: readonly ParticipantEffect[]): Outcome {
    this.#asked = undefined
    return { effects, over: true }
  }

  #sendModel(to: PeerId, phase: 'push' | 'reply', exchange: number): ParticipantEffect {
    const { model } = this.#components
    const { parameters, progress } = model
    return {
      kind: 'send',
      to,
      message: { kind: 'update', ...progress, phase, exchange, degree: pairDegree, parameters }
    }
  }
}
