import type { Machine } from '../src/core/machine.ts'
import {
  courtesiesPerSecondMax,
  helperRecordsMax,
  helpersMax,
  offersPerHelloMax,
  recordsPerMessageMax
} from '../src/core/limits.ts'
import { Conduct } from './conduct.ts'
import { Frequency } from './frequency.ts'
import { Membership } from './membership.ts'
import type { Hello, Message, PeerId, TaskMessage, ToldRecord, Want } from './messages.ts'
import type {
  ParticipantComponents,
  ParticipantEffect,
  ParticipantEvent,
  ParticipantInput,
  ParticipantOptions,
  Rejection
} from './participant-io.ts'
import { Hearsay } from './records/hearsay.ts'
import { OwnRecord } from './records/own-record.ts'
import { RecordBook, toldOf } from './records/record-book.ts'
import type { PeerRecord } from './records/record.ts'
import { TaskShelf } from './rendezvous/task-shelf.ts'

export type RendezvousComponents = Pick<ParticipantComponents, 'self' | 'random' | 'signer'>

export type RendezvousOptions = Pick<ParticipantOptions, 'membershipIntervalMs' | 'version'>

export const rendezvousDefaults: RendezvousOptions = { membershipIntervalMs: 5_000, version: '' }

/** What a helper knows, as plain JSON. */
export interface RendezvousSnapshot {
  readonly self: PeerId
  /** Those whose manifest it can give, with how many of their peers are connected. */
  readonly tasks: readonly { readonly task: string; readonly peers: number }[]
  /** Peers of which it has a record. */
  readonly known: number
  readonly connected: number
  /** Connected helpers. */
  readonly helpers: readonly PeerId[]
  readonly rejectedBy: Readonly<Partial<Record<Rejection, number>>>
}

/** A peer whose hello comes again is told of others so often, in milliseconds. */
const tellEveryMs = 50_000
/** Serving a manifest costs more than asking for it: once in this time for each peer. */
const serveEveryMs = 1_000
/** Of a peer whose addresses change so many others hear at once; they tell others. */
const spreadPeersMax = 8
/** And so often in so many milliseconds: a newcomer gets a place at a relay, then its address is proved. */
const spreadsMax = 3
const spreadWindowMs = 3_000
/** Looks at the membership within which a manifest has to come. */
const patienceLooks = 3

/** Somebody who knows who works on what, and tells those who ask. */
export function rendezvous(
  options: Partial<RendezvousOptions> = {}
): (components: RendezvousComponents) => Rendezvous {
  return (components) => new Rendezvous(components, { ...rendezvousDefaults, ...options })
}

/**
 * The machine of a helper. It trains nothing, and neither wants nor takes models: it keeps the newest records
 * of peers by their tasks, with the tasks' manifests, and hands both to newcomers, so that one address is
 * enough to join a swarm. It speaks the frames of participants, and lives in the same bodies.
 */
export class Rendezvous implements Machine<ParticipantInput, ParticipantEffect> {
  readonly #components: RendezvousComponents
  readonly #options: RendezvousOptions
  readonly #membership: Membership
  readonly #book: RecordBook
  readonly #own: OwnRecord
  readonly #hearsay: Hearsay
  readonly #shelf: TaskShelf
  readonly #conduct = new Conduct()
  readonly #courtesies = new Frequency(courtesiesPerSecondMax)
  /** When a peer was last told of others, and of which task. */
  readonly #told = new Map<PeerId, { readonly task: string | null; readonly atMs: number }>()
  readonly #servedMs = new Map<PeerId, number>()
  /** When others last heard at once where a peer is. */
  readonly #spreadMs = new Map<PeerId, readonly number[]>()
  /** Who was asked for which task and gave nothing. */
  readonly #asked = new Set<string>()
  readonly #rejectedBy: Partial<Record<Rejection, number>> = {}
  /** Tasks of which some peer lives, as of the last look, and whoever came since. */
  readonly #living = new Set<string>()
  #question: { readonly peer: PeerId; readonly task: string; looks: number } | undefined
  #addresses: readonly string[] = []
  #stopped = false
  #nowMs = 0
  #effects: ParticipantEffect[] = []

  constructor(components: RendezvousComponents, options: RendezvousOptions) {
    const { self, random, signer } = components
    const book = new RecordBook({
      entriesMax: helperRecordsMax,
      entriesPerTellerMax: helperRecordsMax / 4,
      shareOf: ({ signed }) => signed?.record.task ?? '',
      sparesMet: false // everybody comes here: that a peer was met says little
    })
    const own = new OwnRecord({ self, signer, role: 'helper', version: options.version })
    this.#components = components
    this.#options = options
    this.#book = book
    this.#own = own
    this.#hearsay = new Hearsay({ self, signer, book, own })
    this.#shelf = new TaskShelf(() => this.#countPeers())
    this.#membership = new Membership(
      { self, random: random.fork('membership'), book },
      { degree: 0, helpers: helpersMax }
    )
  }

  handle(input: ParticipantInput, nowMs: number): readonly ParticipantEffect[] {
    this.#nowMs = nowMs
    this.#effects = []
    if (!this.#stopped) this.#take(input)
    return this.#effects
  }

  snapshot(): RendezvousSnapshot {
    const { neighbours } = this.#membership
    const counts = this.#countPeers()
    return {
      self: this.#components.self,
      tasks: this.#shelf.tasks.map((task) => ({ task, peers: counts.get(task) ?? 0 })),
      known: this.#book.size,
      connected: neighbours.length,
      helpers: neighbours.filter(({ role }) => role === 'helper').map(({ peer }) => peer),
      rejectedBy: { ...this.#rejectedBy }
    }
  }

  #take(input: ParticipantInput): void {
    switch (input.kind) {
      case 'start':
        return this.#wake()
      case 'listening':
        this.#addresses = input.addresses
        return this.#greet(...this.#membership.neighbours.map(({ peer }) => peer))
      case 'peerUp':
        return this.#peerUp(input.peer)
      case 'peerDown':
        return this.#peerDown(input.peer)
      case 'unreachable':
        return this.#membership.unreachable(input.peer, this.#nowMs)
      case 'discovered':
        return this.#membership.learn(input.contacts, this.#nowMs)
      case 'message':
        return this.#received(input.from, input.message)
      case 'malformed':
        return this.#reject(input.from, input.reason)
      case 'wake':
        return this.#tend()
      case 'leave':
        for (const { peer } of this.#membership.neighbours) this.#send(peer, { kind: 'leave' })
        this.#stopped = true
        return
      case 'adopted': // what follows answers what a helper never asks for
      case 'unfit':
      case 'trained':
      case 'trainFailed':
      case 'merged':
      case 'mergeFailed':
      case 'evaluated':
      case 'saved':
      case 'saveFailed':
        return
    }
  }

  // --- peers ------------------------------------------------------------------------------------

  #peerUp(peer: PeerId): void {
    if (this.#conduct.isBanned(peer, this.#nowMs)) return this.#do({ kind: 'disconnect', peer })
    this.#membership.connected(peer)
    this.#greet(peer)
  }

  #peerDown(peer: PeerId): void {
    this.#membership.disconnected(peer, this.#nowMs)
    this.#forget(peer)
  }

  #forget(peer: PeerId): void {
    this.#hearsay.forget(peer)
    this.#courtesies.forget(peer)
    this.#told.delete(peer)
    this.#servedMs.delete(peer)
    this.#spreadMs.delete(peer)
    for (const key of this.#asked) if (key.startsWith(`${peer} `)) this.#asked.delete(key)
    if (this.#question?.peer === peer) this.#question = undefined
    this.#askForTask()
  }

  #received(from: PeerId, message: Message): void {
    const guest = this.#membership.neighbour(from)
    if (guest === undefined) return // banned, or gone meanwhile
    const isCourtesy = ['hello', 'peers', 'want'].includes(message.kind)
    if (isCourtesy && this.#courtesies.exceeds(from, this.#nowMs))
      return this.#reject(from, 'flood')
    if (message.kind === 'hello') return this.#receivedHello(from, message)
    if (guest.task === undefined) return this.#reject(from, 'unintroduced')
    switch (message.kind) {
      case 'peers':
        return this.#heard(from, message.records)
      case 'want':
        return this.#receivedWant(from, message)
      case 'task':
        return this.#receivedTask(from, message)
      case 'decline':
        if (this.#question?.peer === from) this.#question = undefined
        return this.#askForTask()
      case 'leave':
        this.#membership.left(from)
        return this.#forget(from)
      case 'state':
      case 'update':
      case 'view':
      case 'ping':
      case 'pong':
        return this.#reject(from, 'unexpected')
    }
  }

  #receivedHello(from: PeerId, hello: Hello): void {
    const before = this.#book.get(from)?.addresses.join()
    const fault = this.#hearsay.greeted(from, hello, this.#nowMs)
    if (fault !== undefined) return this.#reject(from, fault)
    this.#membership.introduce(from, hello)
    const isElsewhere = before !== undefined && this.#book.get(from)?.addresses.join() !== before
    if (isElsewhere) this.#spread(from, hello)
    this.#membership.trim(this.#nowMs)
    if (typeof hello.task === 'string') this.#living.add(hello.task)
    if (!hello.known) this.#greet(from)
    const newer = this.#book.newerThan(hello.record, this.#nowMs)
    if (newer !== undefined) this.#send(from, { kind: 'peers', records: [newer] })
    this.#askForTask()
    const { task } = hello
    const told = this.#told.get(from)
    if (told?.task === task && this.#nowMs - told.atMs < tellEveryMs) return
    this.#told.set(from, { task, atMs: this.#nowMs })
    this.#tell(from, task)
  }

  /** It can be reached at other places than some were told: a place at a relay takes a newcomer a second. */
  #spread(from: PeerId, { task, record }: Hello): void {
    const isRecent = (ms: number): boolean => this.#nowMs - ms < spreadWindowMs
    const recent = (this.#spreadMs.get(from) ?? []).filter(isRecent)
    if (recent.length >= spreadsMax) return
    this.#spreadMs.set(from, [...recent, this.#nowMs])
    const others = this.#membership.neighbours.filter(
      (guest) => guest.peer !== from && guest.task === task
    )
    const some = this.#components.random.shuffle(others).slice(0, spreadPeersMax)
    for (const { peer } of some) this.#send(peer, { kind: 'peers', records: [toldOf(record, 0)] })
  }

  #heard(from: PeerId, records: readonly ToldRecord[]): void {
    const fault = this.#hearsay.hear(from, records, () => true, this.#nowMs)
    this.#membership.trim(this.#nowMs)
    if (fault !== undefined) this.#reject(from, fault)
  }

  /** A participant of its task and of helpers; a helper of everybody. */
  #tell(to: PeerId, task: string | null): void {
    const isHelper = this.#membership.neighbour(to)?.role === 'helper'
    const isWanted = (record: PeerRecord): boolean =>
      isHelper || record.role === 'helper' || (task !== null && record.task === task)
    this.#membership.metAll(this.#nowMs)
    const others = this.#book.tell(to, recordsPerMessageMax - 1, isWanted, this.#nowMs)
    const records = [toldOf(this.#record, 0), ...others]
    this.#send(to, { kind: 'peers', records })
  }

  // --- tasks ------------------------------------------------------------------------------------

  #receivedWant(from: PeerId, want: Want): void {
    const { tasks } = this.#shelf
    const task = want.task ?? (tasks.length === 1 ? tasks[0] : undefined)
    const manifest = want.what === 'task' ? this.#shelf.get(task ?? '') : undefined
    if (manifest === undefined) return this.#decline(from, 'unexpected')
    const isTooSoon = this.#nowMs - (this.#servedMs.get(from) ?? -Infinity) < serveEveryMs
    if (isTooSoon) return this.#decline(from, 'full')
    this.#servedMs.set(from, this.#nowMs)
    this.#send(from, { kind: 'task', manifest })
  }

  #decline(to: PeerId, reason: Rejection): void {
    this.#send(to, { kind: 'decline', exchange: 0 })
    this.#reject(to, reason)
  }

  /** Connected peers of each task. */
  #countPeers(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { task } of this.#membership.neighbours) {
      if (typeof task === 'string') counts.set(task, (counts.get(task) ?? 0) + 1)
    }
    return counts
  }

  /** Those of which somebody lives: of a swarm that is gone, nobody should become the only member. */
  #offers(): readonly string[] {
    return this.#shelf.tasks.filter((task) => this.#living.has(task)).slice(0, offersPerHelloMax)
  }

  #lookWhoLives(): void {
    this.#living.clear()
    for (const entry of this.#book.entries) {
      const task = entry.signed?.record.task
      if (typeof task === 'string' && this.#book.isAlive(entry, this.#nowMs)) this.#living.add(task)
    }
  }

  /** Fetch a manifest that peers name and that is not here: one at a time. */
  #askForTask(): void {
    if (this.#question !== undefined) return
    for (const { peer, task, offers } of this.#membership.neighbours) {
      for (const name of typeof task === 'string' ? [task] : offers) {
        const key = `${peer} ${name}`
        if (this.#asked.has(key) || !this.#shelf.wants(name)) continue
        this.#asked.add(key)
        this.#question = { peer, task: name, looks: 0 }
        return this.#send(peer, { kind: 'want', what: 'task', task: name })
      }
    }
  }

  #receivedTask(from: PeerId, { manifest }: TaskMessage): void {
    if (this.#question?.peer !== from) return this.#reject(from, 'unexpected')
    const { task } = this.#question
    this.#question = undefined
    if (!this.#shelf.put(task, manifest)) return this.#reject(from, 'task')
    // Those who came for a task hear of it.
    const { neighbours } = this.#membership
    this.#greet(...neighbours.filter((guest) => guest.task === null).map(({ peer }) => peer))
    this.#askForTask()
  }

  // --- small things -----------------------------------------------------------------------------

  /** Now and then: greet those whose hello was lost, and exchange records with one of the other helpers. */
  #tend(): void {
    this.#wake()
    const { silent, neighbours } = this.#membership
    this.#greet(...silent)
    this.#own.look()
    this.#membership.metAll(this.#nowMs)
    this.#lookWhoLives()
    if (this.#question !== undefined && ++this.#question.looks >= patienceLooks) {
      this.#question = undefined
    }
    this.#askForTask()
    const helpers = neighbours.filter(({ role }) => role === 'helper')
    if (helpers.length > 0) this.#tell(this.#components.random.pick(helpers).peer, null)
    this.#do(...this.#membership.fillHelpers(this.#nowMs))
  }

  #greet(...peers: readonly PeerId[]): void {
    const offers = peers.length > 0 ? this.#offers() : []
    for (const peer of peers) {
      this.#send(peer, {
        kind: 'hello',
        round: 0,
        age: 0,
        samples: 0,
        lineage: null,
        task: null,
        layout: null,
        record: this.#record,
        offers,
        known: this.#membership.neighbour(peer)?.task !== undefined
      })
    }
  }

  get #record() {
    return this.#own.current({ task: null, addresses: this.#addresses, round: 0, age: 0 })
  }

  #reject(peer: PeerId, reason: Rejection): void {
    this.#rejectedBy[reason] = (this.#rejectedBy[reason] ?? 0) + 1
    this.#emit({ kind: 'rejected', peer, reason })
    const forMs = this.#conduct.report(peer, reason, this.#nowMs)
    if (forMs === undefined) return
    this.#emit({ kind: 'banned', peer, forMs })
    this.#membership.left(peer)
    this.#do({ kind: 'disconnect', peer })
    this.#forget(peer)
  }

  #wake(): void {
    this.#do({ kind: 'wake', timer: 'membership', afterMs: this.#options.membershipIntervalMs })
  }

  #send(to: PeerId, message: Message): void {
    this.#do({ kind: 'send', to, message })
  }

  #emit(event: ParticipantEvent): void {
    this.#do({ kind: 'emit', event })
  }

  #do(...effects: readonly ParticipantEffect[]): void {
    this.#effects.push(...effects)
  }
}
