import { decode, encode } from '@ipld/dag-cbor'
import { TopicValidatorResult, type GossipSub, type GossipSubEvents } from '@libp2p/gossipsub'
import { z } from 'zod'
import {
  addressesPerContactMax,
  addressLengthMax,
  announcementBytesMax,
  announcersMax
} from '../../src/core/limits.ts'
import type { Contact, PeerId } from '../../protocols/messages.ts'
import type { Guard } from '../guarded.ts'

/** What a peer says of itself now and then, on a gossip topic of its task. All of it is its own claim. */
const announcementSchema = z.strictObject({
  task: z.string().max(128),
  round: z.int().nonnegative(),
  steps: z.int().nonnegative(),
  /** Mean loss of its last local training. */
  loss: z.number().nullable(),
  /** Fraction classified correctly, when it last looked. */
  accuracy: z.number().min(0).max(1).nullable(),
  addresses: z.array(z.string().max(addressLengthMax)).max(addressesPerContactMax)
})

export type Announcement = z.infer<typeof announcementSchema>

export function topicOf(task: string): string {
  return `/starling/1/progress/${task}`
}

/** At most announcementBytesMax: addresses are left out, last first, until it fits. */
export function encodeAnnouncement(announcement: Announcement): Uint8Array {
  const bytes = encode(announcement)
  if (bytes.length <= announcementBytesMax) return bytes
  return encodeAnnouncement({ ...announcement, addresses: announcement.addresses.slice(0, -1) })
}

/** @returns undefined for anything that is not an announcement */
export function decodeAnnouncement(bytes: Uint8Array): Announcement | undefined {
  if (bytes.length > announcementBytesMax) return undefined
  try {
    return announcementSchema.safeParse(decode(bytes)).data
  } catch {
    return undefined
  }
}

/** A peer's newest announcement, and when it arrived on our clock. */
export interface Heard extends Announcement {
  readonly peer: PeerId
  readonly atMs: number
}

/** Shortest time between two announcements of one peer, in milliseconds. */
const intervalMs = 2_000
/** Earlier than this after the last one, it is not passed on: the interval, less what gossip jitters. */
const tooSoonMs = 1_000

/**
 * What a gossip peer has earned by passing on what nobody should have passed on.
 *
 * libp2p's own score for invalid messages needs every topic in advance; this one needs none. At 10 a
 * message a peer leaves the mesh at once (below 0), gets no gossip after two (−10) and is not heard
 * any more after nine (−80, libp2p's graylist). Half is forgotten in ten minutes.
 */
export class GossipManners {
  readonly #faults = new Map<string, { weight: number; atMs: number }>()
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  score(peer: string): number {
    return -faultPenalty * this.#weightOf(peer)
  }

  fault(peer: string): void {
    const weight = this.#weightOf(peer) + 1
    this.#faults.delete(peer)
    this.#faults.set(peer, { weight, atMs: this.#nowMs() })
    forgetOldest(this.#faults, announcersMax)
  }

  #weightOf(peer: string): number {
    const fault = this.#faults.get(peer)
    if (fault === undefined) return 0
    return fault.weight * 0.5 ** ((this.#nowMs() - fault.atMs) / halfLifeMs)
  }
}

const faultPenalty = 10
const halfLifeMs = 600_000

export interface AnnouncerComponents {
  readonly self: PeerId
  readonly pubsub: GossipSub
  readonly manners: GossipManners
  readonly guard: Guard
  readonly nowMs: () => number
  readonly onContact: (contact: Contact) => void
}

/** Tells others how far we are, and remembers what they tell. Silent until it knows the task. */
export class Announcer {
  readonly #parts: AnnouncerComponents
  readonly #heard = new Map<PeerId, Heard>()
  readonly #stopListening: () => void
  #task: string | undefined
  #next: Announcement | undefined
  #lastMs = -Infinity
  #timer: NodeJS.Timeout | undefined

  constructor(parts: AnnouncerComponents) {
    this.#parts = parts
    const onMessage = ({ detail }: GossipSubEvents['message']) => {
      if (detail.topic !== this.#topic() || detail.type !== 'signed') return
      const announcement = decodeAnnouncement(detail.data)
      if (announcement !== undefined) this.#hear(detail.from.toString(), announcement)
    }
    this.#stopListening = parts.guard.listen(parts.pubsub, 'message', onMessage)
  }

  /** The newest announcement of each peer heard, at most announcersMax. */
  get heard(): readonly Heard[] {
    return [...this.#heard.values()]
  }

  /** Join the topic of a task. */
  join(task: string): void {
    if (this.#task === task) return
    this.leave()
    this.#task = task
    const { pubsub, guard } = this.#parts
    const judge = guard.answer(
      'judging an announcement',
      TopicValidatorResult.Ignore,
      this.#judge.bind(this)
    )
    pubsub.topicValidators.set(topicOf(task), (peer, message) => judge(peer.toString(), message))
    pubsub.subscribe(topicOf(task))
  }

  /** Publish this soon; a newer one takes its place if it comes before. */
  announce(announcement: Announcement): void {
    this.#next = announcement
    if (this.#timer !== undefined || this.#task === undefined) return
    const { guard, nowMs } = this.#parts
    const waitMs = Math.max(0, this.#lastMs + intervalMs - nowMs())
    this.#timer = setTimeout(
      guard.wrap('publishing an announcement', () => this.#publish()),
      waitMs
    )
  }

  leave(): void {
    const topic = this.#topic()
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#task = undefined
    this.#heard.clear()
    if (topic === undefined) return
    this.#parts.pubsub.topicValidators.delete(topic)
    this.#parts.pubsub.unsubscribe(topic)
  }

  stop(): void {
    this.leave()
    this.#stopListening()
  }

  async #publish(): Promise<void> {
    this.#timer = undefined
    const topic = this.#topic()
    if (topic === undefined || this.#next === undefined) return
    const bytes = encodeAnnouncement(this.#next)
    this.#next = undefined
    this.#lastMs = this.#parts.nowMs()
    try {
      await this.#parts.pubsub.publish(topic, bytes)
    } catch {
      // Nobody to tell, or stopping: the next round brings the next one.
    }
  }

  /** Whether a message may be believed to be one, and passed on. */
  #judge(
    relayer: string,
    message: Parameters<Parameters<GossipSub['topicValidators']['set']>[1]>[1]
  ): TopicValidatorResult {
    const announcement = message.type === 'signed' ? decodeAnnouncement(message.data) : undefined
    if (message.type !== 'signed' || announcement?.task !== this.#task) {
      this.#parts.manners.fault(relayer)
      return TopicValidatorResult.Reject
    }
    const last = this.#heard.get(message.from.toString())
    const isTooSoon = last !== undefined && this.#parts.nowMs() - last.atMs < tooSoonMs
    return isTooSoon ? TopicValidatorResult.Ignore : TopicValidatorResult.Accept
  }

  #hear(peer: PeerId, announcement: Announcement): void {
    if (peer === this.#parts.self) return
    this.#heard.delete(peer)
    this.#heard.set(peer, { ...announcement, peer, atMs: this.#parts.nowMs() })
    forgetOldest(this.#heard, announcersMax)
    this.#parts.onContact({ peer, addresses: announcement.addresses })
  }

  #topic(): string | undefined {
    return this.#task === undefined ? undefined : topicOf(this.#task)
  }
}

/** A Map remembers the order of insertion: its first entry is the oldest. */
function forgetOldest(map: Map<string, unknown>, sizeMax: number): void {
  for (const key of map.keys()) {
    if (map.size <= sizeMax) return
    map.delete(key)
  }
}
