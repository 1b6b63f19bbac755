import type { PeerId } from './messages.ts'
import type { Rejection } from './participant-io.ts'

/**
 * What each peer has cost us, and when to stop listening.
 *
 * Only what an honest peer never does earns points. What bad weather does to an honest peer (late,
 * early, too many at once) earns none, however often: an outage must not end in bans.
 */
const points: Readonly<Record<Rejection, number>> = {
  malformed: 10,
  'too-large': 10,
  size: 10,
  'not-finite': 10,
  digest: 10,
  forged: 10, // an honest peer passes on nothing that it has not checked
  task: 10,
  unexpected: 2, // an answer that nobody asked for may be our own restart
  flood: 2,
  unintroduced: 0, // its hello may have been lost
  stale: 0,
  future: 0,
  full: 0
}

const banPoints = 30 // three malformed frames in a row
const banMs = 30 * 60_000
const halfLifeMs = 10 * 60_000
/** Peers with a record. Above: the record with the fewest points is forgotten. */
const recordsMax = 4096

interface ConductRecord {
  points: number
  atMs: number
  bannedUntilMs: number
}

export class Conduct {
  readonly #records = new Map<PeerId, ConductRecord>()

  /** @returns for how long the peer is banned from now, when this was one too many; else undefined */
  report(peer: PeerId, rejection: Rejection, nowMs: number): number | undefined {
    if (points[rejection] === 0) return undefined
    const record = this.#recordOf(peer, nowMs)
    record.points = record.points * 2 ** ((record.atMs - nowMs) / halfLifeMs) + points[rejection]
    record.atMs = nowMs
    if (record.points < banPoints) return undefined
    record.points = 0
    record.bannedUntilMs = nowMs + banMs
    return banMs
  }

  isBanned(peer: PeerId, nowMs: number): boolean {
    return (this.#records.get(peer)?.bannedUntilMs ?? 0) > nowMs
  }

  #recordOf(peer: PeerId, nowMs: number): ConductRecord {
    let record = this.#records.get(peer)
    if (record === undefined) {
      if (this.#records.size >= recordsMax) this.#forgetMildest()
      record = { points: 0, atMs: nowMs, bannedUntilMs: 0 }
      this.#records.set(peer, record)
    }
    return record
  }

  #forgetMildest(): void {
    let mildest: PeerId | undefined
    let fewest = Infinity
    for (const [peer, record] of this.#records) {
      const weight = record.bannedUntilMs > record.atMs ? banPoints : record.points
      if (weight < fewest) {
        fewest = weight
        mildest = peer
      }
    }
    if (mildest !== undefined) this.#records.delete(mildest)
  }
}
