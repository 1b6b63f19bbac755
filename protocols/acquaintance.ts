import { helpersMax } from '../src/core/limits.ts'
import { Conduct } from './conduct.ts'
import type { Ours } from './local-model.ts'
import { Membership, type Neighbour } from './membership.ts'
import type { Contact, Hello, PeerId, Peers, Progress, ToldRecord } from './messages.ts'
import type {
  ParticipantComponents,
  ParticipantEffect,
  ParticipantOptions,
  Rejection
} from './participant-io.ts'
import { Hearsay } from './records/hearsay.ts'
import { OwnRecord } from './records/own-record.ts'
import { RecordBook, toldOf } from './records/record-book.ts'
import type { SignedRecord } from './records/record.ts'

export interface AcquaintanceComponents extends Pick<
  ParticipantComponents,
  'self' | 'random' | 'signer' | 'wanted'
> {
  /** What our hellos speak of. */
  readonly ours: Ours
}

export type AcquaintanceOptions = Pick<
  ParticipantOptions,
  'degree' | 'membershipIntervalMs' | 'version'
>

/** What a hello came to. */
export interface Introduction {
  readonly effects: readonly ParticipantEffect[]
  /**
   * `new`: of our task, or one of us has none yet. `reborn`: in a new life, before the end of its
   * old one was noticed. `known`: nothing but its progress is news. `stranger`: of another task.
   * `helper`: of none.
   */
  readonly who: 'new' | 'reborn' | 'known' | 'stranger' | 'helper'
}

/** So often is more than a restart of ours explains. */
const overtakenTooOften = 5

/** How we get to know peers: hellos, records passed on, bans, and parting from other tasks' peers. */
export class Acquaintance {
  readonly #components: AcquaintanceComponents
  readonly #options: AcquaintanceOptions
  readonly #membership: Membership
  readonly #own: OwnRecord
  readonly #hearsay: Hearsay
  readonly #conduct = new Conduct()
  #addresses: readonly string[] = []
  #toldOfUsurper = false

  constructor(components: AcquaintanceComponents, options: AcquaintanceOptions) {
    const { self, random, signer } = components
    const own = new OwnRecord({ self, signer, role: 'peer', version: options.version })
    this.#components = components
    this.#options = options
    const { degree } = options
    this.#membership = new Membership(
      { self, random: random.fork('membership'), book: new RecordBook() },
      { degree, helpers: degree > 0 ? helpersMax : 0 }
    )
    this.#own = own
    this.#hearsay = new Hearsay({ self, signer, book: this.#membership.book, own })
  }

  /** All connected peers, in order of id. */
  get connected(): readonly Neighbour[] {
    return this.#membership.neighbours
  }

  /** Those whose hello named our task. */
  get neighbours(): readonly Neighbour[] {
    const { task } = this.#components.ours
    return task === null ? [] : this.#membership.introduced(task.cid)
  }

  /** Our own, as others can reach us. */
  get addresses(): readonly string[] {
    return this.#addresses
  }

  /** Everybody that we know of. */
  get book(): RecordBook {
    return this.#membership.book
  }

  /** Undefined when it is not connected. */
  peer(peer: PeerId): Neighbour | undefined {
    return this.#membership.neighbour(peer)
  }

  isIntroduced(peer: PeerId): boolean {
    const { task } = this.#components.ours
    return task !== null && this.peer(peer)?.task === task.cid
  }

  /** Whether what it says of others is heard: a neighbour of our task, or a helper. */
  isTeller(peer: PeerId): boolean {
    return this.isIntroduced(peer) || this.peer(peer)?.role === 'helper'
  }

  listening(addresses: readonly string[]): readonly ParticipantEffect[] {
    this.#addresses = addresses
    return this.greetAll()
  }

  peerUp(peer: PeerId, nowMs: number): readonly ParticipantEffect[] {
    if (this.#conduct.isBanned(peer, nowMs)) return [{ kind: 'disconnect', peer }]
    this.#membership.connected(peer)
    return [this.#greet(peer)]
  }

  /** Its connection is gone; it may come back. @returns what to tell of it */
  peerDown(peer: PeerId, nowMs: number): readonly ParticipantEffect[] {
    const farewell = this.#farewell(peer)
    this.#membership.disconnected(peer, nowMs)
    this.#hearsay.forget(peer)
    return farewell
  }

  /** It said goodbye. @returns what to tell of it */
  left(peer: PeerId): readonly ParticipantEffect[] {
    const farewell = this.#farewell(peer)
    this.#membership.left(peer)
    return farewell
  }

  unreachable(peer: PeerId, nowMs: number): void {
    this.#membership.unreachable(peer, nowMs)
  }

  progressed(peer: PeerId, progress: Progress & { readonly lineage: string }): void {
    this.#membership.progressed(peer, progress)
  }

  /** The body found peers by its own means. */
  learn(contacts: readonly Contact[], nowMs: number): readonly ParticipantEffect[] {
    this.#membership.learn(contacts, nowMs)
    return this.fill(nowMs)
  }

  /** A peer tells of others. @returns what to do, or why the teller is to blame */
  told(from: PeerId, { records }: Peers, nowMs: number): readonly ParticipantEffect[] | Rejection {
    const task = this.#swarm
    const isWanted = (record: SignedRecord['record']): boolean =>
      record.role === 'helper' || (task !== null && record.task === task)
    const fault = this.#hearsay.hear(from, records, isWanted, nowMs)
    this.#membership.trim(nowMs)
    return fault ?? this.fill(nowMs)
  }

  /** Dial to fill up connections. */
  fill(nowMs: number): readonly ParticipantEffect[] {
    return this.#membership.fill(this.#swarm, nowMs)
  }

  /** CID of the task that we work on, or look for. */
  get #swarm(): string | null {
    const { ours, wanted } = this.#components
    return ours.task?.cid ?? wanted
  }

  /** @returns for how long we part from it, in milliseconds, when this was one too many */
  offended(peer: PeerId, reason: Rejection, nowMs: number): number | undefined {
    const forMs = this.#conduct.report(peer, reason, nowMs)
    if (forMs !== undefined) this.#membership.left(peer)
    return forMs
  }

  /** @returns what it came to, or why the hello is not believed */
  hello(from: PeerId, hello: Hello, nowMs: number): Introduction | Rejection {
    const fault = this.#hearsay.greeted(from, hello, nowMs)
    if (fault !== undefined) return fault
    const { task } = this.#components.ours
    const before = this.peer(from)
    this.#membership.introduce(from, hello)
    this.#membership.trim(nowMs)
    const effects: ParticipantEffect[] = hello.known ? [] : [this.#greet(from)]
    effects.push(...this.#remind(from, hello, nowMs))
    if (hello.record.record.role === 'helper') return { effects, who: 'helper' }
    if (task === null || hello.task === null) return { effects, who: 'new' }
    if (hello.task !== task.cid || hello.layout !== task.layout.digest) {
      const ours = `${task.cid} (layout ${task.layout.digest.slice(0, 12)})`
      const theirs = `${hello.task} (layout ${hello.layout?.slice(0, 12) ?? 'unknown'})`
      if (hello.task === task.cid) {
        this.#membership.introduce(from, { ...hello, task: theirs })
      }
      const event = { kind: 'peer-refused', peer: from, ours, theirs } as const
      return { effects: [...effects, { kind: 'emit', event }], who: 'stranger' }
    }
    if (before?.task === task.cid) {
      return { effects, who: hello.round < before.round ? 'reborn' : 'known' }
    }
    const event = { kind: 'peer-joined', peer: from, round: hello.round } as const
    effects.push({ kind: 'emit', event })
    if (this.#options.degree > 0) effects.push(...this.#tell(from, task.cid, [], nowMs))
    return { effects: [...effects, ...this.fill(nowMs)], who: 'new' }
  }

  /**
   * Now and then: greet those whose hello was lost, part from peers of other tasks, tell one peer
   * whom we know, fill up connections, and keep the graph mixing.
   * @param isInUse - peers that we are in the middle of something with
   */
  tend(nowMs: number, isInUse: (peer: PeerId) => boolean): readonly ParticipantEffect[] {
    const { ours, random } = this.#components
    const { degree } = this.#options
    const effects = [this.nextLook(), ...this.#membership.silent.map((peer) => this.#greet(peer))]
    if (degree === 0) return effects
    if (this.#own.look()) effects.push(...this.#greetHelpers())
    if (this.#isUsurped()) effects.push(trouble)
    if (ours.task === null) {
      return [...effects, ...this.fill(nowMs), ...this.#membership.fillHelpers(nowMs)]
    }
    for (const { peer, task } of this.connected) {
      if (typeof task === 'string' && task !== ours.task.cid) {
        effects.push({ kind: 'disconnect', peer })
      }
    }
    const { neighbours } = this
    if (neighbours.length > 0) {
      const own = toldOf(this.#record, 0)
      effects.push(...this.#tell(random.pick(neighbours).peer, ours.task.cid, [own], nowMs))
    }
    const mixed = this.#membership.mix(this.#swarm, nowMs, isInUse)
    return [...effects, ...this.fill(nowMs), ...mixed, ...this.#membership.fillHelpers(nowMs)]
  }

  /** When to tend the membership. */
  nextLook(): ParticipantEffect {
    return { kind: 'wake', timer: 'membership', afterMs: this.#options.membershipIntervalMs }
  }

  greetAll(): readonly ParticipantEffect[] {
    return this.connected.map(({ peer }) => this.#greet(peer))
  }

  #greet(peer: PeerId): ParticipantEffect {
    const { model } = this.#components.ours
    const ready = this.#ready
    const message: Hello = {
      kind: 'hello',
      ...(model?.progress ?? { round: 0, age: 0, samples: 0 }),
      lineage: model?.lineage ?? null,
      task: ready?.cid ?? null,
      layout: ready?.layout.digest ?? null,
      record: this.#record,
      offers: [],
      known: this.peer(peer)?.task !== undefined
    }
    return { kind: 'send', to: peer, message }
  }

  /** Before the model is there we have the task's name only to ask for: others would send us updates. */
  get #ready(): Ours['task'] {
    const { task, model } = this.#components.ours
    return model === undefined ? null : task
  }

  get #record(): SignedRecord {
    const { round, age } = this.#components.ours.model ?? { round: 0, age: 0 }
    const task = this.#ready?.cid ?? null
    return this.#own.current({ task, addresses: this.#addresses, round, age })
  }

  #greetHelpers(): readonly ParticipantEffect[] {
    const helpers = this.connected.filter(({ role }) => role === 'helper')
    return helpers.map(({ peer }) => this.#greet(peer))
  }

  #tell(
    to: PeerId,
    task: string,
    first: readonly ToldRecord[],
    nowMs: number
  ): readonly ParticipantEffect[] {
    const records = [...first, ...this.#membership.tell(to, task, nowMs)]
    return records.length === 0 ? [] : [{ kind: 'send', to, message: { kind: 'peers', records } }]
  }

  #remind(to: PeerId, { record }: Hello, nowMs: number): readonly ParticipantEffect[] {
    const newer = this.book.newerThan(record, nowMs)
    return newer === undefined
      ? []
      : [{ kind: 'send', to, message: { kind: 'peers', records: [newer] } }]
  }

  /** True once. */
  #isUsurped(): boolean {
    if (this.#own.overtaken < overtakenTooOften || this.#toldOfUsurper) return false
    this.#toldOfUsurper = true
    return true
  }

  #farewell(peer: PeerId): readonly ParticipantEffect[] {
    return this.isIntroduced(peer) ? [{ kind: 'emit', event: { kind: 'peer-left', peer } }] : []
  }
}

const trouble: ParticipantEffect = {
  kind: 'emit',
  event: {
    kind: 'trouble',
    what:
      'another node runs with the key of this one: its records are newer than ours again and again. ' +
      'Give each node a home of its own (--home), and do not copy one'
  }
}
