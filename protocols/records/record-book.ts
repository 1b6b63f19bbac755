import {
  addressesPerContactMax,
  contactsMax,
  contactsPerTellerMax,
  recordSecondsMax
} from '../../src/core/limits.ts'
import type { Contact, PeerId, ToldRecord } from '../messages.ts'
import { inTurns } from './in-turns.ts'
import type { PeerRecord, SignedRecord } from './record.ts'

/** Whom we know, and how. */
export interface Entry {
  readonly peer: PeerId
  /** Its newest record; undefined for a peer that the body found, which is not passed on. */
  readonly signed: SignedRecord | undefined
  /** Where it can be reached: its own word first, then what the body found. */
  readonly addresses: readonly string[]
  /** When somebody last had word of it, on our clock; before that clock's zero, too. */
  readonly heardMs: number
  /** Who told us of it first: itself, for one that we met; null for what the body found. */
  readonly teller: PeerId | null
  /** We have been connected to it. */
  readonly met: boolean
  /** It said goodbye, or was sent away: only a newer record or a new meeting brings it back. */
  readonly gone: boolean
}

export interface RecordBookOptions {
  readonly entriesMax: number
  /** Of those never met. */
  readonly entriesPerTellerMax: number
  /** Entries of one name share a fate: when room is short, those of the largest share lose the oldest. */
  readonly shareOf: (entry: Entry) => string
  /** Those whom we met lately go last, whatever their share. */
  readonly sparesMet: boolean
}

export const recordBookDefaults: RecordBookOptions = {
  entriesMax: contactsMax,
  entriesPerTellerMax: contactsPerTellerMax,
  shareOf: ({ met, teller }) => (met ? 'met' : `told/${teller ?? ''}`),
  sparesMet: true
}

type Changing = { -readonly [Key in keyof Entry]: Entry[Key] } & {
  /** When this record came to us. */
  cameMs: number
  /** How often we passed it on. */
  times: number
}

/** Forgotten at once beyond what is needed, as a share of all: whom to forget takes a look at everybody. */
const slackShare = 1 / 32

/** Of what is told: enough to bring every neighbour's news into the world again and again. */
const metShare = 1 / 4

const recordMsMax = recordSecondsMax * 1_000

/**
 * Everybody's newest record: the part of the swarm's shared state that one peer holds. All who exchange
 * records come to hold the same, in whatever order they arrive, because of two records of a peer the same one
 * wins everywhere.
 *
 * It is bounded, and nobody who tells of many can make it forget those whom we met ourselves, or whom others
 * told us of.
 */
export class RecordBook {
  readonly #options: RecordBookOptions
  /** In the order in which their records came. */
  readonly #entries = new Map<PeerId, Changing>()

  constructor(options: Partial<RecordBookOptions> = {}) {
    this.#options = { ...recordBookDefaults, ...options }
  }

  get size(): number {
    return this.#entries.size
  }

  /** In the order in which their records came. */
  get entries(): Iterable<Entry> {
    return this.#entries.values()
  }

  get(peer: PeerId): Entry | undefined {
    return this.#entries.get(peer)
  }

  /** Whether a record would change anything. Looked at before its signature, which costs more. */
  isNews(signed: SignedRecord): boolean {
    return signed.supersedes(this.#entries.get(signed.record.peer)?.signed)
  }

  /**
   * Keep a record: one that is news only when its signature is genuine.
   *
   * Told again, it may have been heard of later than we thought, but not later than when it first came to
   * us: else whoever says that he heard of the dead just now would keep them alive.
   * @param teller - who told us; the peer itself on a connection with it
   * @param heardMs - when the teller heard of it, on our clock
   */
  hear(signed: SignedRecord, teller: PeerId, heardMs: number, nowMs: number): void {
    const { peer, addresses } = signed.record
    const before = this.#entries.get(peer)
    if (before?.signed !== undefined && !signed.supersedes(before.signed)) {
      if (before.signed.supersedes(signed)) return
      before.heardMs = Math.max(before.heardMs, Math.min(heardMs, before.cameMs))
      return
    }
    this.#entries.delete(peer)
    this.#entries.set(peer, {
      peer,
      signed,
      addresses: joined(addresses, before?.signed === undefined ? before?.addresses : undefined),
      heardMs: Math.max(heardMs, before?.heardMs ?? -Infinity),
      cameMs: nowMs,
      teller: before === undefined ? teller : before.teller,
      met: before?.met ?? false,
      gone: false,
      times: 0
    })
    if (before === undefined) this.#holdToShare(teller)
  }

  /** The body found somebody. */
  find({ peer, addresses }: Contact, nowMs: number): void {
    const before = this.#entries.get(peer)
    if (before === undefined) {
      const entry = { peer, signed: undefined, teller: null, met: false, gone: false, times: 0 }
      const own = addresses.slice(0, addressesPerContactMax)
      this.#entries.set(peer, { ...entry, addresses: own, heardMs: nowMs, cameMs: nowMs })
      return
    }
    const { signed } = before
    before.addresses = joined(signed?.record.addresses ?? addresses, addresses)
    before.gone = false
    if (signed === undefined) before.heardMs = nowMs
  }

  /** We are connected to it, or have just been. */
  met(peer: PeerId, nowMs: number): void {
    const entry = this.#entries.get(peer)
    if (entry === undefined) return
    entry.met = true
    entry.gone = false
    entry.heardMs = Math.max(entry.heardMs, nowMs)
  }

  /** It said goodbye, or was sent away. What others say of the life that was changes nothing. */
  gone(peer: PeerId): void {
    const entry = this.#entries.get(peer)
    if (entry !== undefined) entry.gone = true
  }

  /**
   * What a peer in a new life has to be told: it does not know how far its record has come, and others
   * would not take the new one.
   */
  newerThan(record: SignedRecord, nowMs: number): ToldRecord | undefined {
    const entry = this.#entries.get(record.record.peer)
    if (entry?.signed?.supersedes(record) !== true) return undefined
    return toldOf(entry.signed, nowMs - entry.heardMs)
  }

  isAlive({ gone, heardMs }: Entry, nowMs: number): boolean {
    return !gone && nowMs - heardMs < recordMsMax
  }

  /**
   * Records for a peer to know, those first that we passed on less often (as SWIM does). A quarter are
   * of peers that we met; the others come from all who told us of them in turn, however many each of them told.
   * @param isWanted - of those who live
   * @param nowMs - connected peers were met just now (`met`)
   */
  tell(
    to: PeerId,
    countMax: number,
    isWanted: (record: PeerRecord, entry: Entry) => boolean,
    nowMs: number
  ): readonly ToldRecord[] {
    const candidates: Changing[] = []
    for (const entry of this.#entries.values()) {
      if (entry.signed === undefined || entry.peer === to || !this.isAlive(entry, nowMs)) continue
      if (isWanted(entry.signed.record, entry)) candidates.push(entry)
    }
    candidates.sort((a, b) => a.times - b.times)
    const met = candidates.filter((entry) => entry.met)
    const told = inTurns(
      firstOf(
        candidates.filter((entry) => !entry.met),
        countMax
      ),
      ({ times }) => times,
      ({ teller }) => teller ?? ''
    )
    const metCount = Math.max(Math.ceil(countMax * metShare), countMax - told.length)
    const chosen = met.slice(0, metCount)
    chosen.push(...told.slice(0, countMax - chosen.length))
    return chosen.flatMap((entry) => {
      entry.times++
      return entry.signed === undefined ? [] : [toldOf(entry.signed, nowMs - entry.heardMs)]
    })
  }

  /**
   * Forget who is too many: the oldest of the largest share, those first that we never met.
   * @param isKept - not to be forgotten as long as there is anybody else
   */
  trim(isKept: (peer: PeerId) => boolean, nowMs: number): void {
    const { entriesMax, shareOf, sparesMet } = this.#options
    if (this.#entries.size <= entriesMax) return
    const tooMany = this.#entries.size - entriesMax + Math.floor(entriesMax * slackShare)
    const shares = new Map<string, Entry[]>()
    const [met, kept]: [Entry[], Entry[]] = [[], []]
    for (const entry of this.#entries.values()) {
      if (isKept(entry.peer)) kept.push(entry)
      else if (sparesMet && entry.met && this.isAlive(entry, nowMs)) met.push(entry)
      else listOf(shares, shareOf(entry)).push(entry)
    }
    const groups = [...shares.values()]
    for (const group of [...groups, met]) group.sort((a, b) => b.heardMs - a.heardMs)
    for (let i = 0; i < tooMany; i++) {
      const largest = groups.reduce<Entry[]>((a, b) => (b.length > a.length ? b : a), [])
      const victim = largest.pop() ?? met.pop() ?? kept.pop()
      this.#entries.delete(victim?.peer ?? '')
    }
  }

  /** One who told us of more than its share loses the oldest of them. */
  #holdToShare(teller: PeerId): void {
    let count = 0
    let oldest: Entry | undefined
    for (const entry of this.#entries.values()) {
      if (entry.teller !== teller || entry.met || entry.peer === teller) continue
      count++
      if (entry.heardMs < (oldest?.heardMs ?? Infinity)) oldest = entry
    }
    if (count > this.#options.entriesPerTellerMax) this.#entries.delete(oldest?.peer ?? '')
  }
}

function listOf(shares: Map<string, Entry[]>, name: string): Entry[] {
  const list = shares.get(name) ?? []
  shares.set(name, list)
  return list
}

export function toldOf(signed: SignedRecord, agoMs: number): ToldRecord {
  return { signed, heardSecondsAgo: Math.max(0, Math.ceil(agoMs / 1_000)) }
}

/** So many of the front, and all that were told as often as the last of those. */
function firstOf(sorted: readonly Changing[], count: number): readonly Changing[] {
  const times = sorted[count]?.times
  return times === undefined ? sorted : sorted.filter((entry) => entry.times <= times)
}

function joined(first: readonly string[], then: readonly string[] = []): readonly string[] {
  return [...new Set([...first, ...then])].slice(0, addressesPerContactMax)
}
