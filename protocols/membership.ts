import { claimMax, recordsPerMessageMax } from '../src/core/limits.ts'
import { present } from '../src/core/assert.ts'
import type { Random } from '../src/core/random.ts'
import type { Contact, Hello, PeerId, Progress, ToldRecord } from './messages.ts'
import type { ParticipantEffect } from './participant-io.ts'
import { inTurns } from './records/in-turns.ts'
import type { PeerRecord } from './records/record.ts'
import type { Entry, RecordBook } from './records/record-book.ts'

/** A connected peer. */
export interface Neighbour extends Progress {
  readonly peer: PeerId
  readonly role: PeerRecord['role']
  /** CID of its task; null when it has none yet, and of a helper; undefined before its hello. */
  readonly task: string | null | undefined
  /** Tasks that a helper gives. */
  readonly offers: readonly string[]
  /** Of its model; null while it has none. */
  readonly lineage: string | null
}

export interface MembershipComponents {
  readonly self: PeerId
  readonly random: Random
  readonly book: RecordBook
}

export interface MembershipOptions {
  /** Connections to keep; 0 for a fixed overlay, where the body decides who is connected. */
  readonly degree: number
  /** Helpers to be connected to, beside. */
  readonly helpers: number
}

/** What came of dialing somebody. */
interface Dials {
  failures: number
  againMs: number
  /** Where it was dialed last: at other addresses it is dialed at once, a few times. */
  addresses: string
}

const dialPauseMs = 1_000
const dialPauseMsMax = 5 * 60_000 // a laptop that comes back is met again within five minutes
const dialsAtOnceMax = 4
/** Above: whoever is told of ever new places has us dial strangers for it, and waits as others do. */
const failuresElsewhereMax = 3
/** Those whom a teller is connected to were heard of just now; others may have died in the meantime. */
const freshMs = 30_000
/** Connections above the degree, as a share of it: room for those who meet us. */
const surplusShare = 1 / 4
/** Looks at the membership between two dials beyond the degree: one a minute, by default. */
const mixingLooks = 12

/**
 * Who is connected, and whom of those we know (records/record-book.ts) to meet next.
 *
 * Connections stay between `degree` and a quarter more, in the manner of HyParView (Leitão et al.,
 * 2007): below we dial, above we part from somebody. Now and then we dial one more, so that the
 * graph keeps mixing, as by the shuffles of Cyclon (Voulgaris et al., 2005), and two parts of a
 * swarm that each have enough connections find together again.
 *
 * Helpers are no neighbours: we keep a few of them beside, and never part from one.
 */
export class Membership {
  readonly #self: PeerId
  readonly #random: Random
  readonly #book: RecordBook
  readonly #degree: number
  readonly #helpers: number
  /** Of peers in the book: of others nothing is remembered. */
  readonly #dials = new Map<PeerId, Dials>()
  readonly #neighbours = new Map<PeerId, Neighbour>()
  /** With the addresses at which they are dialed. */
  readonly #dialing = new Map<PeerId, string>()
  /** Neighbours that we dialed, not they us: strangers cannot push them out by coming in numbers. */
  readonly #dialed = new Set<PeerId>()
  /** Ids of neighbours, ascending. */
  readonly #order: PeerId[] = []
  #looks: number

  constructor(components: MembershipComponents, options: MembershipOptions) {
    const { self, random, book } = components
    const { degree, helpers } = options
    this.#self = self
    this.#random = random
    this.#book = book
    this.#degree = degree
    this.#helpers = helpers
    this.#looks = degree > 0 ? random.fork('mixing').integer(mixingLooks) : 0
  }

  /** Everybody that we know, connected or not. */
  get book(): RecordBook {
    return this.#book
  }

  /** All connected peers, in order of id. */
  get neighbours(): readonly Neighbour[] {
    return this.#order.map((peer) => present(this.#neighbours.get(peer), peer))
  }

  neighbour(peer: PeerId): Neighbour | undefined {
    return this.#neighbours.get(peer)
  }

  /** Connected peers whose hello named this task, in order of id. */
  introduced(task: string): readonly Neighbour[] {
    return this.neighbours.filter((neighbour) => neighbour.task === task)
  }

  /** Connected peers whose hello has not come. */
  get silent(): readonly PeerId[] {
    return this.neighbours.filter(({ task }) => task === undefined).map(({ peer }) => peer)
  }

  connected(peer: PeerId): void {
    if (this.#dialing.delete(peer)) this.#dialed.add(peer)
    this.#dials.delete(peer)
    this.#keep({
      peer,
      role: 'peer',
      task: undefined,
      offers: [],
      lineage: null,
      round: 0,
      age: 0,
      samples: 0
    })
  }

  /** Dialed again, but not at once: it may have parted from us because it has enough. */
  disconnected(peer: PeerId, nowMs: number): void {
    if (!this.#drop(peer)) return // it had said goodbye
    this.#book.met(peer, nowMs)
    const dials = this.#dialsOf(peer)
    if (dials !== undefined) {
      dials.againMs = Math.max(dials.againMs, nowMs + dialPauseMs)
      dials.addresses = this.#book.get(peer)?.addresses.join() ?? ''
    }
  }

  /** A peer that said goodbye: not waited for, not dialed again. */
  left(peer: PeerId): void {
    this.#drop(peer)
    this.#book.gone(peer)
  }

  unreachable(peer: PeerId, nowMs: number): void {
    const dialed = this.#dialing.get(peer) ?? ''
    this.#dialing.delete(peer)
    const dials = this.#dialsOf(peer)
    if (dials === undefined) return
    const pauseMs = Math.min(dialPauseMs * 2 ** dials.failures, dialPauseMsMax)
    dials.failures++
    dials.againMs = nowMs + pauseMs * (0.5 + this.#random.next()) // jitter: not all at once
    dials.addresses = dialed
  }

  /** It said hello; its record is in the book. */
  introduce(peer: PeerId, hello: Hello): void {
    const { role } = hello.record.record
    this.#keep({
      peer,
      role,
      task: role === 'helper' ? null : hello.task,
      offers: role === 'helper' ? hello.offers : [],
      lineage: hello.lineage,
      ...believed(hello)
    })
  }

  /** What a peer's latest model says of how far it is. Never backwards. */
  progressed(peer: PeerId, progress: Progress & { readonly lineage: string }): void {
    const neighbour = this.#neighbours.get(peer)
    if (neighbour === undefined || progress.round < neighbour.round) return
    this.#neighbours.set(peer, { ...neighbour, lineage: progress.lineage, ...believed(progress) })
  }

  /** The body found these; they are dialed, and not passed on. */
  learn(contacts: readonly Contact[], nowMs: number): void {
    for (const contact of contacts) {
      if (contact.peer === this.#self || contact.addresses.length === 0) continue
      this.#book.find(contact, nowMs)
    }
    this.trim(nowMs)
  }

  /** Forget whom there is no room for, but nobody that we are connected to. */
  trim(nowMs: number): void {
    this.#book.trim((peer) => this.#isBusyWith(peer), nowMs)
    if (this.#dials.size <= this.#book.size) return
    for (const peer of this.#dials.keys()) {
      if (this.#book.get(peer) === undefined) this.#dials.delete(peer)
    }
  }

  /** Whoever is connected lives. */
  metAll(nowMs: number): void {
    for (const peer of this.#order) this.#book.met(peer, nowMs)
  }

  /** Whom a peer of this task should know: others of the task, and helpers. */
  tell(to: PeerId, task: string, nowMs: number): readonly ToldRecord[] {
    this.metAll(nowMs)
    const isWanted = (record: PeerRecord): boolean =>
      record.task === task || record.role === 'helper'
    return this.#book.tell(to, recordsPerMessageMax - 1, isWanted, nowMs) // our own comes first
  }

  /**
   * Dial to fill up to `degree` connections.
   * @param task - of ours; null while there is none, and then whoever is there may tell
   */
  fill(task: string | null, nowMs: number): readonly ParticipantEffect[] {
    const { peers, dialingPeers } = this.#counts
    return this.#dial('peer', this.#degree - peers - dialingPeers, task, nowMs)
  }

  /** Dial to be connected to a few helpers. */
  fillHelpers(nowMs: number): readonly ParticipantEffect[] {
    const { peers, dialingPeers } = this.#counts
    const helpers = this.#neighbours.size - peers
    const dialing = this.#dialing.size - dialingPeers
    return this.#dial('helper', this.#helpers - helpers - dialing, null, nowMs)
  }

  get #counts(): { readonly peers: number; readonly dialingPeers: number } {
    let [peers, dialingPeers] = [0, 0]
    for (const { role } of this.#neighbours.values()) if (role === 'peer') peers++
    for (const peer of this.#dialing.keys())
      if (roleOf(this.#book.get(peer)) === 'peer') dialingPeers++
    return { peers, dialingPeers }
  }

  /**
   * Now and then: dial one beyond the degree, and part from those who are too many.
   * @param isInUse - peers that we are in the middle of something with
   */
  mix(
    task: string | null,
    nowMs: number,
    isInUse: (peer: PeerId) => boolean
  ): readonly ParticipantEffect[] {
    if (this.#degree === 0) return []
    const peers = this.neighbours.filter(({ role }) => role === 'peer').map(({ peer }) => peer)
    const surplus = peers.length - this.#degree - Math.ceil(this.#degree * surplusShare)
    if (surplus > 0) return this.#partFrom(peers, surplus, isInUse)
    if (++this.#looks % mixingLooks !== 0) return []
    return this.#dial('peer', 1, task, nowMs, 'anybody') // the silent may be behind a wall that fell
  }

  /** Those who came to us first. */
  #partFrom(
    peers: readonly PeerId[],
    count: number,
    isInUse: (peer: PeerId) => boolean
  ): readonly ParticipantEffect[] {
    const candidates = peers.filter((peer) => !isInUse(peer))
    const [ours, theirs] = [true, false].map((dialed) =>
      this.#random.shuffle(candidates.filter((peer) => this.#dialed.has(peer) === dialed))
    ) as [PeerId[], PeerId[]]
    return [...theirs, ...ours]
      .slice(0, count)
      .map((peer): ParticipantEffect => ({ kind: 'disconnect', peer }))
  }

  /**
   * The first of each teller, then the second of each, so that nobody who tells of many keeps us from those
   * of whom others tell.
   * @param first - who goes before the others: by default those of whom somebody had word lately
   */
  #dial(
    role: PeerRecord['role'],
    count: number,
    task: string | null,
    nowMs: number,
    first: 'living' | 'anybody' = 'living'
  ): readonly ParticipantEffect[] {
    const wanted = Math.min(count, dialsAtOnceMax - this.#dialing.size)
    if (wanted <= 0) return []
    const candidates = [...this.#book.entries]
      .filter((entry) => roleOf(entry) === role && this.#isWorthDialing(entry, task, nowMs))
      .sort((a, b) => (a.peer < b.peer ? -1 : 1))
    const rankOf = (entry: Entry): number => {
      if (first === 'anybody') return 0
      if (nowMs - entry.heardMs < freshMs) return 0
      return this.#book.isAlive(entry, nowMs) ? 1 : 2
    }
    const tellerOf = ({ teller }: Entry): string => teller ?? ''
    const ranked = inTurns(this.#random.shuffle(candidates), rankOf, tellerOf)
    return ranked.slice(0, wanted).map(({ peer, addresses }) => {
      this.#dialing.set(peer, addresses.join())
      return { kind: 'connect', contact: { peer, addresses } }
    })
  }

  #isWorthDialing(
    { peer, signed, addresses, gone }: Entry,
    task: string | null,
    nowMs: number
  ): boolean {
    if (gone || addresses.length === 0 || this.#isBusyWith(peer)) return false
    const dials = this.#dials.get(peer)
    if (dials !== undefined && dials.againMs > nowMs) {
      const isElsewhere = dials.addresses !== addresses.join()
      if (!isElsewhere || dials.failures > failuresElsewhereMax) return false
    }
    const theirs = signed?.record.task ?? null
    return theirs === null || task === null || theirs === task
  }

  /** Undefined for a peer that is not in the book. */
  #dialsOf(peer: PeerId): Dials | undefined {
    if (this.#book.get(peer) === undefined) return undefined
    const dials = this.#dials.get(peer) ?? { failures: 0, againMs: 0, addresses: '' }
    this.#dials.set(peer, dials)
    return dials
  }

  #keep(neighbour: Neighbour): void {
    const { peer } = neighbour
    if (!this.#neighbours.has(peer)) this.#order.splice(this.#placeOf(peer), 0, peer)
    this.#neighbours.set(peer, neighbour)
  }

  /** @returns whether it was there */
  #drop(peer: PeerId): boolean {
    this.#dialed.delete(peer)
    if (!this.#neighbours.delete(peer)) return false
    this.#order.splice(this.#placeOf(peer), 1)
    return true
  }

  #isBusyWith(peer: PeerId): boolean {
    return this.#neighbours.has(peer) || this.#dialing.has(peer)
  }

  /** Where a peer is in the order of ids, or would be. */
  #placeOf(peer: PeerId): number {
    let [from, to] = [0, this.#order.length]
    while (from < to) {
      const middle = (from + to) >> 1
      if ((this.#order[middle] ?? '') < peer) from = middle + 1
      else to = middle
    }
    return from
  }
}

function roleOf(entry: Entry | undefined): PeerRecord['role'] {
  return entry?.signed?.record.role ?? 'peer'
}

function believed({ round, age, samples }: Progress): Progress {
  return { round: Math.min(round, claimMax), age: Math.min(age, claimMax), samples }
}
