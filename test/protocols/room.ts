import { present } from '../../src/core/assert.ts'
import { Driver } from '../../src/core/driver.ts'
import { Random } from '../../src/core/random.ts'
import { performMerge } from '../../src/learning/merge/merge.ts'
import type { Task } from '../../src/learning/task.ts'
import { notary } from '../records.ts'
import { tinyTask } from '../tiny-task.ts'
import type { TrainResult, TrainState } from '../../src/learning/training.ts'
import type { Message, PeerId } from '../../protocols/messages.ts'
import { participant, type Participant } from '../../protocols/participant.ts'
import { rendezvous, type Rendezvous, type RendezvousOptions } from '../../protocols/rendezvous.ts'
import type {
  Checkpoint,
  ParticipantEffect,
  ParticipantEvent,
  ParticipantInput,
  ParticipantOptions
} from '../../protocols/participant-io.ts'

/** What training does here: half the way to the peer's own target, as gradient descent on ½‖x − t‖². */
function step(state: TrainState, target: number, steps: number): TrainResult {
  const parameters = state.parameters.map((value) => value + (target - value) * (1 - 0.5 ** steps))
  const loss = parameters.reduce((sum, value) => sum + (value - target) ** 2 / 2, 0)
  return {
    parameters,
    optimizer: state.optimizer,
    steps: state.steps + steps,
    loss,
    samples: 8,
    rolledBack: false
  }
}

interface Life {
  readonly driver: Driver<ParticipantInput, ParticipantEffect>
}

export interface Arrival extends Partial<ParticipantOptions> {
  readonly task?: Task | null
  readonly wanted?: string
  readonly checkpoint?: Checkpoint
  readonly samples?: number
  readonly target?: number
  /** How long training takes. */
  readonly trainMs?: number
  /** And merging. */
  readonly mergeMs?: number
}

const latencyMs = 5

/**
 * Participants in one room, in virtual time: every message arrives after latencyMs, in order. The
 * smallest body that a participant can live in.
 */
export class Room {
  nowMs = 0
  readonly events: { readonly peer: PeerId; readonly event: ParticipantEvent }[] = []
  readonly sent: { readonly from: PeerId; readonly to: PeerId; readonly message: Message }[] = []
  readonly checkpoints = new Map<PeerId, Checkpoint>()
  /** Says which messages are lost on the way. */
  loses: (from: PeerId, to: PeerId, message: Message) => boolean = () => false
  readonly #lives = new Map<PeerId, Life>()
  readonly #links = new Set<string>()
  #agenda: { readonly atMs: number; readonly act: () => void }[] = []

  enter(peer: PeerId, arrival: Arrival = {}): Participant {
    const {
      task = tinyTask(),
      wanted = null,
      checkpoint = null,
      samples = 8,
      target = 0,
      trainMs = 20,
      mergeMs = 0,
      ...options
    } = arrival
    const machine = participant({ degree: 0, ...options })({
      self: peer,
      random: new Random(`room/${peer}`),
      signer: notary.signerOf(peer),
      task,
      wanted,
      checkpoint
    })
    let adopted: Task | undefined
    let isMerging = false
    const timers = new Map<string, object>()
    const driver: Driver<ParticipantInput, ParticipantEffect> = new Driver(machine, {
      nowMs: () => this.nowMs,
      perform: (effect) => {
        switch (effect.kind) {
          case 'send':
            return this.#send(peer, effect.to, effect.message)
          case 'wake': {
            const token = {}
            timers.set(effect.timer, token)
            return this.#later(effect.afterMs, () => {
              if (timers.get(effect.timer) === token)
                driver.deliver({ kind: 'wake', timer: effect.timer })
            })
          }
          case 'adopt':
            adopted = effect.task
            return this.#later(1, () => driver.deliver({ kind: 'adopted', samples }))
          case 'train':
            return this.#later(trainMs, () => {
              driver.deliver({ kind: 'trained', result: step(effect.state, target, effect.steps) })
            })
          case 'merge':
            if (isMerging) throw new Error(`${peer} asked for a second merge during one`)
            isMerging = true
            return this.#after(mergeMs, () => {
              isMerging = false
              const { manifest, layout } = present(adopted, 'the task that is merged in')
              const result = performMerge({ spec: manifest.merge, layout }, effect.job, null)
              driver.deliver({ kind: 'merged', result })
            })
          case 'save':
            this.checkpoints.set(peer, effect.checkpoint)
            return driver.deliver({ kind: 'saved', round: effect.checkpoint.round })
          case 'evaluate':
            return
          case 'emit':
            this.events.push({ peer, event: effect.event })
            return
          case 'connect':
            return this.#dial(peer, effect.contact.peer)
          case 'disconnect':
            return this.cut(peer, effect.peer)
        }
      }
    })
    this.#lives.set(peer, { driver })
    driver.deliver({ kind: 'listening', addresses: [`/memory/${peer}`] })
    driver.deliver({ kind: 'start' })
    return machine
  }

  /** Somebody who trains nothing, and knows who does. */
  enterHelper(peer: PeerId, options: Partial<RendezvousOptions> = {}): Rendezvous {
    const random = new Random(`room/${peer}`)
    const machine = rendezvous(options)({ self: peer, random, signer: notary.signerOf(peer) })
    const driver: Driver<ParticipantInput, ParticipantEffect> = new Driver(machine, {
      nowMs: () => this.nowMs,
      perform: (effect) => {
        switch (effect.kind) {
          case 'send':
            return this.#send(peer, effect.to, effect.message)
          case 'wake':
            return this.#later(effect.afterMs, () =>
              driver.deliver({ kind: 'wake', timer: effect.timer })
            )
          case 'emit':
            this.events.push({ peer, event: effect.event })
            return
          case 'connect':
            return this.#dial(peer, effect.contact.peer)
          case 'disconnect':
            return this.cut(peer, effect.peer)
          case 'adopt':
          case 'train':
          case 'merge':
          case 'evaluate':
          case 'save':
            throw new Error(`a helper asks for ${effect.kind}`)
        }
      }
    })
    this.#lives.set(peer, { driver })
    driver.deliver({ kind: 'listening', addresses: [`/memory/${peer}`] })
    driver.deliver({ kind: 'start' })
    return machine
  }

  #dial(from: PeerId, to: PeerId): void {
    if (this.#lives.has(to)) this.connect(from, to)
    else this.tell(from, { kind: 'unreachable', peer: to })
  }

  /** At once, when it takes no time. */
  #after(ms: number, act: () => void): void {
    if (ms === 0) act()
    else this.#later(ms, act)
  }

  connect(a: PeerId, b: PeerId): void {
    if (this.#links.has(linkOf(a, b))) return
    this.#links.add(linkOf(a, b))
    this.tell(a, { kind: 'peerUp', peer: b })
    this.tell(b, { kind: 'peerUp', peer: a })
  }

  cut(a: PeerId, b: PeerId): void {
    if (!this.#links.delete(linkOf(a, b))) return
    this.tell(a, { kind: 'peerDown', peer: b })
    this.tell(b, { kind: 'peerDown', peer: a })
  }

  /** The process is gone; its neighbours' connections close. */
  crash(peer: PeerId): void {
    this.#lives.get(peer)?.driver.stop()
    this.#lives.delete(peer)
    for (const link of [...this.#links]) {
      const [a, b] = link.split(' ') as [PeerId, PeerId]
      if (a === peer || b === peer) this.cut(a, b)
    }
  }

  tell(peer: PeerId, input: ParticipantInput): void {
    this.#lives.get(peer)?.driver.deliver(input)
  }

  /** Let time pass. */
  run(forMs: number): void {
    const untilMs = this.nowMs + forMs
    for (;;) {
      this.#agenda.sort((a, b) => a.atMs - b.atMs) // stable: ties stay in order of arrival
      const next = this.#agenda[0]
      if (next === undefined || next.atMs > untilMs) break
      this.#agenda.shift()
      this.nowMs = next.atMs
      next.act()
    }
    this.nowMs = untilMs
  }

  eventsOf<Kind extends ParticipantEvent['kind']>(
    peer: PeerId,
    kind: Kind
  ): Extract<ParticipantEvent, { kind: Kind }>[] {
    return this.events
      .filter((entry) => entry.peer === peer && entry.event.kind === kind)
      .map(({ event }) => event as Extract<ParticipantEvent, { kind: Kind }>)
  }

  #send(from: PeerId, to: PeerId, message: Message): void {
    this.sent.push({ from, to, message })
    if (this.loses(from, to, message)) return
    this.#later(latencyMs, () => {
      if (this.#links.has(linkOf(from, to))) this.tell(to, { kind: 'message', from, message })
    })
  }

  #later(afterMs: number, act: () => void): void {
    this.#agenda.push({ atMs: this.nowMs + afterMs, act })
  }
}

function linkOf(a: PeerId, b: PeerId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}
