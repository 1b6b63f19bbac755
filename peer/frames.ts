import type { Connection, Stream } from '@libp2p/interface'
import { measuredFrameBytesMin } from '../src/core/limits.ts'
import type { Layout } from '../src/learning/layout.ts'
import type { Message, PeerId } from '../protocols/messages.ts'
import type { WireFault } from '../protocols/wire.ts'
import type { Guard } from './guarded.ts'
import { Inbox } from './inbox.ts'
import type { Connections } from './network/connections.ts'
import { Outbox, type OutboxOptions } from './outbox.ts'
import type { Pace } from './pace.ts'
import { reasonOf } from './reason.ts'

/** The libp2p protocol that carries our frames. The number rises when old peers cannot read them. */
export const framesProtocol = '/starling/3/frames'

export interface FramesOptions {
  readonly outbox: OutboxOptions
  readonly pace: Pace
  /** Longest time for opening a stream, in milliseconds. */
  readonly dialDeadlineMs: number
}

export interface FramesComponents {
  readonly guard: Guard
  readonly connections: Connections
  readonly nowMs: () => number
  /** Of our task as it is now; null while we have none. */
  readonly layout: () => Layout | null
  readonly onMessage: (from: PeerId, message: Message) => void
  readonly onFault: (from: PeerId, reason: WireFault) => void
  /** A frame was given up on the way out. */
  readonly onLost: (peer: PeerId, message: Message, reason: string) => void
  /** A peer sent too slowly, and was cut off. */
  readonly onSlow: (peer: PeerId) => void
}

export interface FrameCounters {
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Frames that ended before they were complete: peers that vanished, mostly. */
  readonly framesTruncated: number
  readonly framesLost: number
}

interface Outgoing {
  readonly outbox: Outbox
  /** That its stream runs on. */
  connection: Connection | undefined
}

/** Our frames to and from all peers: one stream for each direction, on the best connection. */
export class Frames {
  readonly #parts: FramesComponents
  readonly #options: FramesOptions
  readonly #inboxes = new Map<PeerId, Inbox>()
  readonly #outgoing = new Map<PeerId, Outgoing>()
  readonly #counters = { bytesSent: 0, bytesReceived: 0, framesTruncated: 0, framesLost: 0 }

  constructor(parts: FramesComponents, options: FramesOptions) {
    this.#parts = parts
    this.#options = options
  }

  get counters(): FrameCounters {
    return { ...this.#counters }
  }

  /** A peer opened a stream for its frames. */
  receive(stream: Stream, connection: Connection): void {
    const peer = connection.remotePeer.toString()
    const { guard, connections, nowMs, layout } = this.#parts
    // One at a time and the newest counts: however many streams a peer opens, it costs one model.
    this.#inboxes.get(peer)?.abort('another stream took its place')
    const inbox = new Inbox({
      stream,
      guard,
      pace: this.#options.pace,
      layout,
      nowMs,
      onBytes: (bytes) => {
        this.#counters.bytesReceived += bytes
        connections.received(connection, bytes)
      },
      onFrame: (bytes, ms) => {
        if (bytes >= measuredFrameBytesMin) connections.measured(connection, bytes / ms / 1000)
      },
      onMessage: (message) => this.#parts.onMessage(peer, message),
      onFault: (reason) => this.#parts.onFault(peer, reason),
      onTruncated: (reason) => {
        this.#counters.framesTruncated++
        if (reason === 'slow') this.#parts.onSlow(peer)
      }
    })
    this.#inboxes.set(peer, inbox)
  }

  /** @returns false when so much waits for this peer that it is better disconnected */
  send(peer: PeerId, message: Message): boolean {
    const { outbox } = this.#outgoingTo(peer)
    if (outbox.send(message)) return true
    outbox.abort('too much waits for this peer')
    this.#outgoing.delete(peer)
    return false
  }

  /** Which connection to a peer is best may have changed: what is sent from now on takes that one. */
  useBest(peer: PeerId): void {
    const outgoing = this.#outgoing.get(peer)
    const best = this.#parts.connections.carryingTo(peer)[0]
    if (best !== undefined && outgoing?.connection !== best) outgoing?.outbox.renew()
  }

  /** Settles when this peer has read what was sent to it, or cannot any more. */
  async finish(peer: PeerId): Promise<void> {
    await this.#outgoing.get(peer)?.outbox.finish()
  }

  async finishAll(): Promise<void> {
    await Promise.all([...this.#outgoing.values()].map(({ outbox }) => outbox.finish()))
  }

  drop(peer: PeerId): void {
    this.#inboxes.get(peer)?.abort('the peer is gone')
    this.#inboxes.delete(peer)
    this.#outgoing.get(peer)?.outbox.abort('the peer is gone')
    this.#outgoing.delete(peer)
  }

  abortAll(): void {
    for (const inbox of this.#inboxes.values()) inbox.abort('stopping')
    for (const { outbox } of this.#outgoing.values()) outbox.abort('stopping')
  }

  #outgoingTo(peer: PeerId): Outgoing {
    const existing = this.#outgoing.get(peer)
    if (existing !== undefined) return existing
    const { guard, connections, nowMs, onLost } = this.#parts
    const outbox = new Outbox(
      {
        guard,
        pace: this.#options.pace,
        nowMs,
        open: () => {
          outgoing.connection = connections.carryingTo(peer)[0]
          const signal = AbortSignal.timeout(this.#options.dialDeadlineMs)
          return (
            outgoing.connection?.newStream(framesProtocol, { signal }) ??
            Promise.reject(new Error('not connected'))
          )
        },
        onBytes: (bytes) => {
          this.#counters.bytesSent += bytes
          if (outgoing.connection !== undefined) connections.sent(outgoing.connection, bytes)
        },
        onLost: (message, failure) => {
          this.#counters.framesLost++
          onLost(peer, message, reasonOf(failure))
        }
      },
      this.#options.outbox
    )
    const outgoing: Outgoing = { outbox, connection: undefined }
    this.#outgoing.set(peer, outgoing)
    return outgoing
  }
}
