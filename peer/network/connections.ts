import type { Connection } from '@libp2p/interface'
import { heardOfMax } from '../../src/core/limits.ts'
import type { PeerId } from '../../protocols/messages.ts'
import { forgetOldest } from '../nat/forget.ts'

/** What lies between us and a peer: nothing, two routers that were talked into it, or a helper. */
export type ConnectionKind = 'direct' | 'punched' | 'relayed'

/**
 * How a connection came about. `upgrade`: one of the two could be dialed after all, once both had
 * met through a relay. Of inbound connections only the dial is known, as a rule.
 */
export type ConnectionOrigin = 'dial' | 'upgrade' | 'tcp-punch' | 'webrtc' | 'relay'

/** One connection, as `starling peers --json` shows it. */
export interface ConnectionView {
  readonly peer: PeerId
  readonly kind: ConnectionKind
  readonly by: ConnectionOrigin
  /** A relay limits it in time and bytes: no model ever travels over it. */
  readonly limited: boolean
  readonly address: string
  readonly direction: 'inbound' | 'outbound'
  /** Of the newest ping, in milliseconds; null before the first one. */
  readonly rttMs: number | null
  /** Of frames, which is nearly all there is; pings, gossip and handshakes are not counted. */
  readonly bytesSent: number
  readonly bytesReceived: number
  /** At which the last frame of a megabyte or more came in; null when there was none. */
  readonly megabytesPerSecond: number | null
  readonly openSeconds: number
}

export interface ConnectionsComponents {
  readonly self: PeerId
  readonly nowMs: () => number
  /** Which kind of hole punching brought it about, if any. */
  readonly punchedBy: (connection: Connection) => 'tcp-punch' | 'webrtc' | undefined
}

interface Noted {
  readonly connection: Connection
  readonly openedMs: number
  readonly isUpgrade: boolean
  /** Undefined until the other end has said what it speaks. */
  speaksFrames: boolean | undefined
  bytesSent: number
  bytesReceived: number
  megabytesPerSecond: number | null
}

/** All our connections: what is known of each, and which of several to a peer is the one to use. */
export class Connections {
  readonly #parts: ConnectionsComponents
  readonly #noted = new Map<string, Noted>()
  readonly #heardMs = new Map<PeerId, number>()

  constructor(parts: ConnectionsComponents) {
    this.#parts = parts
  }

  opened(connection: Connection): void {
    const peer = connection.remotePeer.toString()
    const others = this.to(peer)
    this.heardOf(peer)
    this.#noted.set(connection.id, {
      connection,
      openedMs: this.#parts.nowMs(),
      isUpgrade: connection.direct && others.some(({ direct }) => !direct),
      speaksFrames: undefined,
      bytesSent: 0,
      bytesReceived: 0,
      megabytesPerSecond: null
    })
  }

  closed(connection: Connection): void {
    this.#noted.delete(connection.id)
    const peer = connection.remotePeer.toString()
    if (this.to(peer).length === 0) this.#heardMs.delete(peer)
  }

  /** We know of a peer from now on, unless we did before. */
  heardOf(peer: PeerId): void {
    if (this.#heardMs.has(peer)) return
    this.#heardMs.set(peer, this.#parts.nowMs())
    forgetOldest(this.#heardMs, heardOfMax)
  }

  /** How long we have known of a peer, since we were last connected to it, in milliseconds. */
  knownMs(peer: PeerId): number {
    return this.#parts.nowMs() - (this.#heardMs.get(peer) ?? this.#parts.nowMs())
  }

  /**
   * The other end says that it is a peer of ours, not just a helper.
   * @returns whether that is news
   */
  introduced(connection: Connection): boolean {
    const noted = this.#noted.get(connection.id)
    if (noted === undefined || noted.speaksFrames === true) return false
    noted.speaksFrames = true
    return true
  }

  /** The other end helps others to meet, and is no peer of ours. */
  isHelper(connection: Connection): boolean {
    return this.#noted.get(connection.id)?.speaksFrames === false
  }

  noteHelper(connection: Connection): void {
    const noted = this.#noted.get(connection.id)
    if (noted !== undefined) noted.speaksFrames ??= false
  }

  /** Those to a peer of ours beyond the first. A helper may have good reasons to hold two. */
  superfluousTo(peer: PeerId): Connection[] {
    const all = this.to(peer)
    return all.every(({ id }) => this.#noted.get(id)?.speaksFrames === true) ? all.slice(1) : []
  }

  sent(connection: Connection, bytes: number): void {
    const noted = this.#noted.get(connection.id)
    if (noted !== undefined) noted.bytesSent += bytes
  }

  received(connection: Connection, bytes: number): void {
    const noted = this.#noted.get(connection.id)
    if (noted !== undefined) noted.bytesReceived += bytes
  }

  /** A large frame came in at this speed. */
  measured(connection: Connection, megabytesPerSecond: number): void {
    const noted = this.#noted.get(connection.id)
    if (noted !== undefined) noted.megabytesPerSecond = megabytesPerSecond
  }

  /** Open ones to a peer, the one to use first. Both ends come to the same order. */
  to(peer: PeerId): Connection[] {
    return [...this.#noted.values()]
      .filter(({ connection }) => connection.status === 'open')
      .filter(({ connection }) => connection.remotePeer.toString() === peer)
      .sort((a, b) => this.#rank(a) - this.#rank(b) || a.openedMs - b.openedMs)
      .map(({ connection }) => connection)
  }

  /** Those over which frames may travel, the one to use first. */
  carryingTo(peer: PeerId): Connection[] {
    return this.to(peer).filter(carriesModels)
  }

  directTo(peer: PeerId): Connection | undefined {
    return this.to(peer).find(({ direct }) => direct)
  }

  list(): ConnectionView[] {
    return [...this.#noted.values()]
      .filter(({ connection }) => connection.status === 'open')
      .map((noted) => this.#view(noted))
      .sort((a, b) => (a.peer < b.peer ? -1 : a.peer > b.peer ? 1 : b.openSeconds - a.openSeconds))
  }

  /** Of those who speak our frames: how many we reach directly, and how many only by a relay. */
  counts(): { readonly direct: number; readonly relayed: number } {
    const peers = new Map<PeerId, boolean>()
    for (const { connection, speaksFrames } of this.#noted.values()) {
      if (speaksFrames !== true || connection.status !== 'open') continue
      const peer = connection.remotePeer.toString()
      peers.set(peer, connection.direct || (peers.get(peer) ?? false))
    }
    const direct = [...peers.values()].filter((isDirect) => isDirect).length
    return { direct, relayed: peers.size - direct }
  }

  kindOf(connection: Connection): ConnectionKind {
    if (!connection.direct) return 'relayed'
    return this.#parts.punchedBy(connection) === undefined ? 'direct' : 'punched'
  }

  originOf(connection: Connection): ConnectionOrigin {
    if (!connection.direct) return 'relay'
    const isUpgrade = this.#noted.get(connection.id)?.isUpgrade === true
    return this.#parts.punchedBy(connection) ?? (isUpgrade ? 'upgrade' : 'dial')
  }

  /**
   * What carries models first, then what passes no relay, then TCP, which is several times as fast as
   * WebRTC, then what the lower id began.
   */
  #rank({ connection }: Noted): number {
    const isLower = this.#parts.self < connection.remotePeer.toString()
    const isBegunByLower = isLower === (connection.direction === 'outbound')
    return (
      (carriesModels(connection) ? 0 : 8) +
      (connection.direct ? 0 : 4) +
      (this.#parts.punchedBy(connection) === 'webrtc' ? 2 : 0) +
      (isBegunByLower ? 0 : 1)
    )
  }

  #view(noted: Noted): ConnectionView {
    const { connection, bytesSent, bytesReceived, megabytesPerSecond, openedMs } = noted
    return {
      peer: connection.remotePeer.toString(),
      kind: this.kindOf(connection),
      by: this.originOf(connection),
      limited: !carriesModels(connection),
      address: connection.remoteAddr.toString(),
      direction: connection.direction,
      rttMs: connection.rtt ?? null,
      bytesSent,
      bytesReceived,
      megabytesPerSecond,
      openSeconds: Math.round((this.#parts.nowMs() - openedMs) / 1000)
    }
  }
}

/** A relay that limits what it carries would cut a model in the middle. */
export function carriesModels({ limits }: Connection): boolean {
  return limits === undefined
}
