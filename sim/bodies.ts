import type { PeerId } from '../protocols/messages.ts'
import type {
  ParticipantEffect,
  ParticipantEvent,
  ParticipantInput
} from '../protocols/participant-io.ts'
import { present } from '../src/core/assert.ts'
import { connectionsMax } from '../src/core/limits.ts'
import type { Parcel } from './adversaries/attack.ts'
import { bytesOfParcel } from './adversaries/reading.ts'
import type { WorldEvent } from './events.ts'
import type { Walls } from './faults/walls.ts'
import { unminded, when, type Eventually, type Trainer } from './learning/trainer.ts'
import type { Fate, Network } from './network/network.ts'
import type { EventQueue } from './queue.ts'
import type { Life, Seat, Seats } from './seats.ts'
import type { Rendezvous } from './topology/rendezvous.ts'
import type { Watch } from './watch.ts'

export interface BodiesComponents {
  readonly trainer: Trainer
  /** Undefined where the scenario says who is connected to whom. */
  readonly rendezvous: Rendezvous | undefined
  readonly queue: EventQueue<WorldEvent>
  readonly network: Network<Parcel>
  readonly seats: Seats
  readonly watch: Watch
  readonly walls: Walls
  readonly connect: (a: number, b: number) => void
  readonly onSent: (from: number, parcel: Parcel) => void
}

/** A checkpoint is on disk so long after it was asked for: a few MB and an fsync on an SSD. A guess. */
const writeMs = 5
/** As the daemon's `dialDeadlineMs`. */
const dialDeadlineMs = 10_000

/** What lives do in this world: what they ask for becomes events, at the time at which it is done. */
export class Bodies {
  readonly #parts: BodiesComponents
  #trainSteps = 0

  constructor(components: BodiesComponents) {
    this.#parts = components
  }

  /** That were really trained, by everybody so far. */
  get trainSteps(): number {
    return this.#trainSteps
  }

  perform(life: Life, effect: ParticipantEffect): void {
    const { seat } = life
    if (seat.life !== life) return // a life that is over does nothing
    const { trainer, queue, network, seats, watch } = this.#parts
    watch.asked(life, effect)
    const tell = (input: ParticipantInput): void => queue.push(0, { kind: 'input', life, input })
    const later = (afterMs: number, answer: () => Eventually<ParticipantInput>): void =>
      queue.push(afterMs, { kind: 'answer', life, answer })

    switch (effect.kind) {
      case 'send':
        return this.send(life, effect.to, effect.message)
      case 'connect':
        return this.#dial(life, effect.contact.peer, () =>
          tell({ kind: 'unreachable', peer: effect.contact.peer })
        )
      case 'disconnect': {
        const other = seats.of(effect.peer)?.index
        if (other !== undefined) network.hangUp(seat.index, other)
        return
      }
      case 'wake': {
        const generation = (life.timers.get(effect.timer) ?? 0) + 1
        life.timers.set(effect.timer, generation)
        return queue.push(seat.ailing?.waitMs(effect.afterMs) ?? effect.afterMs, {
          kind: 'timer',
          life,
          timer: effect.timer,
          generation
        })
      }
      case 'adopt':
        return tell({ kind: 'adopted', samples: trainer.samplesOf(seat.index) })
      case 'train': {
        const pretended = life.inhabitant.pretend?.(effect.state, effect.steps)
        if (pretended === undefined) this.#trainSteps += effect.steps
        const result = pretended ?? unminded(trainer.train(seat.index, effect.state, effect.steps))
        seat.ailing?.spend('steps', effect.steps)
        return later(effect.steps * seat.stepMs * (seat.ailing?.slowness ?? 1), () =>
          when(result, (result) => ({ kind: 'trained', result }))
        )
      }
      case 'merge': {
        const result = unminded(trainer.merge(seat.index, effect.job))
        return later(0, () => when(result, (result) => ({ kind: 'merged', result })))
      }
      case 'evaluate': {
        const evaluation = watch.evaluate(seat, effect.round, effect.parameters)
        if (evaluation === undefined) return
        const { round } = effect
        return later(0, () =>
          when(evaluation, (evaluation) => ({ kind: 'evaluated', round, evaluation }))
        )
      }
      case 'save':
        if (seat.ailing?.isDiskFull === true) {
          return tell({ kind: 'saveFailed', reason: 'ENOSPC: no space left on device' })
        }
        return queue.push(writeMs + (seat.ailing?.writeMs ?? 0), {
          kind: 'written',
          life,
          checkpoint: effect.checkpoint
        })
      case 'emit':
        return this.#emitted(life, effect.event)
    }
  }

  send(life: Life, peer: PeerId, parcel: Parcel): void {
    const { seat } = life
    const { seats, watch, onSent } = this.#parts
    watch.sent(life, parcel)
    const fate = this.#fateOf(seat, present(seats.of(peer), peer), peer, parcel)
    if (fate !== 'sent') watch.note(seat, 'world', { kind: fate, to: peer })
    onSent(seat.index, parcel)
  }

  #dial(life: Life, peer: PeerId, giveUp: () => void): void {
    const { seat } = life
    const { rendezvous, queue, network, seats, watch, connect } = this.#parts
    const other = seats.of(peer)?.index
    if (other !== undefined && network.isOpen(seat.index, other)) return
    if (other === undefined || rendezvous === undefined) return giveUp()
    if (network.connectionsOf(other) >= connectionsMax) {
      watch.note(seat, 'world', { kind: 'refused', by: seats.at(other).id })
      return giveUp()
    }
    connect(seat.index, other)
    queue.push(dialDeadlineMs, { kind: 'dialed', life, peer: other })
  }

  #fateOf(from: Seat, to: Seat, name: PeerId, parcel: Parcel): Fate | 'swallowed' {
    if (to.id !== name) return 'unconnected' // somebody whom it was in an earlier life
    if (from.ailing?.swallows(parcel) === true) return 'swallowed'
    if (this.#parts.walls.loses(from.index, to.index)) return 'lost'
    for (const end of [from, to]) end.ailing?.useLine()
    const bytes = bytesOfParcel(parcel)
    from.ailing?.spend('bytes', bytes)
    return this.#parts.network.send(from.index, to.index, parcel, bytes)
  }

  #emitted(life: Life, event: ParticipantEvent): void {
    const { seats, watch } = this.#parts
    watch.note(life.seat, 'event', event)
    if (event.kind === 'round-finished') watch.finishedRound(life, event.round)
    if (event.kind !== 'finished') return
    // Whoever fetched the model of a swarm that is done has finished no round of its own.
    if (event.round > life.round) watch.finishedRound(life, event.round)
    seats.finish(life)
  }
}
