import { networkInterfaces } from 'node:os'
import type { Connection, IdentifyResult, Libp2pEvents, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { punchStreamsMax, frameStreamsMax } from '../src/core/limits.ts'
import type { Contact, PeerId } from '../protocols/messages.ts'
import { framesProtocol } from './frames.ts'
import type { Guard } from './guarded.ts'
import type { Endpoint } from './nat/endpoint.ts'
import { Ladder, type LadderEvent, type LadderOptions } from './nat/ladder.ts'
import { Observers, type Mapping } from './nat/observers.ts'
import { Probation } from './nat/probation.ts'
import { Punch, punchProtocol } from './nat/punch.ts'
import { isWebRtc } from './nat/webrtc.ts'
import {
  carriesModels,
  Connections,
  type ConnectionKind,
  type ConnectionOrigin,
  type ConnectionView
} from './network/connections.ts'
import { FrameVersions, type IncompatibleEvent } from './network/frame-versions.ts'
import type { StarlingNode } from './network/network.ts'
import { Pruner } from './network/pruner.ts'
import { Pulse, pulseDefaults } from './network/pulse.ts'
import { within } from './within.ts'

export type LinkEvent =
  /** Our way into the world has changed: so many connections led nowhere any more. */
  | { readonly kind: 'path-moved'; readonly dead: number }
  | LadderEvent
  | IncompatibleEvent
  /** A peer of ours is connected, in one more way. */
  | {
      readonly kind: 'connection'
      readonly peer: PeerId
      readonly path: ConnectionKind
      readonly by: ConnectionOrigin
      readonly limited: boolean
      /** Since we first knew of this peer, in milliseconds. */
      readonly afterMs: number
    }

export interface LinksOptions extends LadderOptions {
  /** Where peers may ask us to dial, and whose word on our own address counts: public ones. */
  readonly isAcceptable: (endpoint: Endpoint) => boolean
}

export interface LinksComponents {
  readonly node: StarlingNode
  readonly guard: Guard
  readonly nowMs: () => number
  /** Whether frames of this peer are accepted. */
  readonly isMember: (peer: PeerId) => boolean
  /** Frames could travel on this connection: admitted() or refused() is to follow. */
  readonly onIntroduced: (connection: Connection) => void
  /** A peer can be sent frames. */
  readonly onUp: (peer: PeerId) => void
  /** No frame can reach this peer any more. */
  readonly onDown: (peer: PeerId) => void
  /** There is no connection to this peer, or helper, any more. */
  readonly onGone: (peer: PeerId) => void
  /** What connect() was asked for did not come about. */
  readonly onUnreachable: (peer: PeerId) => void
  /** Another connection may be the best one now. */
  readonly onChange: (peer: PeerId) => void
  readonly onFrames: (stream: Stream, connection: Connection) => void
  readonly onEvent: (event: LinkEvent) => void
}

/** What there is to say about routers between us and the world. */
export interface NatStatus {
  readonly mapping: Mapping
  /** Where others see us, as multiaddrs. */
  readonly external: readonly string[]
  /** Peers with whom both ends dialed at once in vain, since it last came to something. */
  readonly missed: number
  /** The port that our dials leave from; null where there are no ports. */
  readonly dialPort: number | null
}

/** How long a disconnected peer may take to hear our last words, in milliseconds. */
const closeMsMax = 1_000

/**
 * Who is connected, and how: keeps peers reachable in the best way there is.
 *
 * A connection becomes a peer of the machine when the other end says that it speaks our frames, when it
 * may take part, and when no relay limits the connection: over a limited one no model ever travels.
 */
export class Links {
  readonly connections: Connections
  readonly #parts: LinksComponents
  readonly #ladder: Ladder
  readonly #pruner: Pruner
  readonly #observers: Observers | undefined
  readonly #punch: Punch | undefined
  readonly #pulse: Pulse | undefined
  readonly #probation: Probation
  readonly #versions = new FrameVersions(framesProtocol)
  readonly #up = new Set<PeerId>()
  /** Asked for by connect(), and not there yet. */
  readonly #wanted = new Set<PeerId>()
  readonly #stopListening: (() => void)[] = []
  #stopped = false

  constructor(parts: LinksComponents, options: LinksOptions) {
    const { node, guard, nowMs } = parts
    const { dialer, hearing } = node.services
    const self = node.peerId.toString()
    this.#parts = parts
    const connections = new Connections({
      self,
      nowMs,
      punchedBy: (connection) => this.#punchedBy(connection)
    })
    this.connections = connections
    if (dialer !== undefined) {
      const { isAcceptable } = options
      const observers = new Observers({
        dialPort: dialer.ownPort.number,
        ownIps,
        isBelievable: isAcceptable
      })
      this.#observers = observers
      this.#punch = new Punch({
        self,
        dialer,
        nowMs,
        isAcceptable,
        candidates: () => observers.candidates(dialer.listenPorts()),
        directTo: (peer) => connections.directTo(peer.toString())
      })
    }
    this.#probation = new Probation(guard)
    const { onEvent } = parts
    this.#ladder = new Ladder(
      {
        ...{ node, guard, connections, nowMs, dialer, onEvent },
        punch: this.#punch,
        webrtc: node.services.webrtc,
        probation: this.#probation
      },
      options
    )
    if (dialer !== undefined && hearing !== undefined) {
      const onMoved = (dead: number): void => onEvent({ kind: 'path-moved', dead })
      this.#pulse = new Pulse({ node, guard, hearing, onMoved }, pulseDefaults)
    }
    this.#pruner = new Pruner({ self, guard, connections })
  }

  /** Begin to notice connections, before the network starts. */
  async listen(): Promise<void> {
    const { node, guard, isMember, onFrames } = this.#parts
    const onOpen = ({ detail }: Libp2pEvents['connection:open']) => this.#opened(detail)
    const onIdentify = ({ detail }: Libp2pEvents['peer:identify']) => this.#identified(detail)
    const onClose = ({ detail }: Libp2pEvents['connection:close']) => this.#closed(detail)
    this.#stopListening.push(
      guard.listen(node, 'connection:open', onOpen),
      guard.listen(node, 'peer:identify', onIdentify),
      guard.listen(node, 'connection:close', onClose)
    )
    const onStream = (stream: Stream, connection: Connection) => {
      // Streams are negotiated in their own time: the connection may be gone when one is handed over.
      const peer = connection.remotePeer.toString()
      this.#proved(connection)
      if (connection.status === 'open' && isMember(peer)) this.admitted(peer)
      if (this.isUp(peer)) onFrames(stream, connection)
      else stream.abort(new Error('not listening'))
    }
    await node.handle(framesProtocol, guard.wrap('a new stream', onStream), {
      maxInboundStreams: frameStreamsMax
    })
    const punch = this.#punch
    if (punch === undefined) return
    const onPunch = (stream: Stream, connection: Connection) => punch.answer(stream, connection)
    await node.handle(punchProtocol, guard.wrap('a request to meet', onPunch), {
      maxInboundStreams: punchStreamsMax,
      runOnLimitedConnection: true
    })
  }

  isUp(peer: PeerId): boolean {
    return this.#up.has(peer) && !this.#stopped
  }

  /** Have a connection to this peer. What comes of it is told by onUp or onUnreachable. */
  async connect(contact: Contact): Promise<void> {
    const { peer } = contact
    const { node } = this.#parts
    if (peer === node.peerId.toString() || this.#up.has(peer)) return
    this.connections.heardOf(peer)
    this.#wanted.add(peer)
    const direct = this.connections.directTo(peer)
    if (direct !== undefined) {
      if (this.connections.isHelper(direct)) this.#giveUp(peer)
      return // else it has not said yet what it is
    }
    await this.#ladder.reach(contact).catch(() => undefined)
    if (this.connections.carryingTo(peer).length === 0) this.#giveUp(peer)
  }

  /** This peer may take part. */
  admitted(peer: PeerId): void {
    if (this.#stopped || this.#up.has(peer)) return
    if (this.connections.carryingTo(peer).length === 0) return
    this.#wanted.delete(peer)
    this.#up.add(peer)
    this.#parts.onUp(peer)
  }

  /** This peer may not take part, or does not let us. */
  refused(peer: PeerId): void {
    this.#wanted.delete(peer)
    this.#parts.onUnreachable(peer)
  }

  /** @param lastWords - settles when the peer has read what was sent to it last */
  async disconnect(peer: PeerId, lastWords: Promise<unknown>): Promise<void> {
    // What was said last (goodbye, not now) should arrive, but nobody is waited for.
    await within(closeMsMax, lastWords)
    const { node } = this.#parts
    const id = peerIdFromString(peer)
    for (const connection of this.connections.to(peer)) {
      // A proper end keeps these two ports apart for a minute (TIME_WAIT), and there are no others.
      if (this.#punch?.made(connection) === true) connection.abort(new Error('disconnected'))
    }
    await node.hangUp(id, { signal: AbortSignal.timeout(closeMsMax) }).catch(() => undefined)
    for (const connection of node.getConnections(id)) {
      connection.abort(new Error('closing took too long'))
    }
  }

  views(): readonly ConnectionView[] {
    return this.connections.list()
  }

  nat(): NatStatus {
    return {
      mapping: this.#observers?.mapping ?? 'unknown',
      external: this.#observers?.external ?? [],
      missed: this.#punch?.missed ?? 0,
      dialPort: this.#parts.node.services.dialer?.ownPort.number ?? null
    }
  }

  /** The network has started. */
  start(): void {
    this.#pulse?.start()
  }

  /** From here on nobody comes or goes. */
  stop(): void {
    this.#stopped = true
    this.#ladder.stop()
    this.#pruner.stop()
    this.#pulse?.stop()
    this.#probation.stop()
    for (const stop of this.#stopListening) stop()
  }

  breakAll(why: string): void {
    for (const connection of this.#parts.node.getConnections()) connection.abort(new Error(why))
  }

  #giveUp(peer: PeerId): void {
    if (this.#wanted.delete(peer)) this.#parts.onUnreachable(peer)
  }

  #opened(connection: Connection): void {
    if (isWebRtc(connection)) this.#probation.begin(connection)
    else this.#noted(connection)
  }

  /** Something has come over it. */
  #proved(connection: Connection): void {
    if (this.#probation.passed(connection)) this.#noted(connection)
  }

  #noted(connection: Connection): void {
    this.connections.opened(connection)
    this.#ladder.opened(connection)
  }

  #punchedBy(connection: Connection): 'tcp-punch' | 'webrtc' | undefined {
    if (isWebRtc(connection)) return 'webrtc'
    return this.#punch?.made(connection) === true ? 'tcp-punch' : undefined
  }

  #identified({ connection, protocols, observedAddr }: IdentifyResult): void {
    const incompatible = this.#versions.check(connection.remotePeer.toString(), protocols)
    if (incompatible !== undefined) this.#parts.onEvent(incompatible)
    if (connection.status !== 'open') return
    this.#proved(connection)
    const isOurs = this.#parts.node.services.dialer?.ownPort.carries(connection) ?? false
    if (observedAddr !== undefined && connection.direct && isOurs) {
      this.#observers?.saw(connection.id, connection.remoteAddr, observedAddr)
    }
    if (protocols.includes(framesProtocol)) {
      this.#introduced(connection)
    } else {
      this.connections.noteHelper(connection)
      this.#giveUp(connection.remotePeer.toString())
    }
  }

  /** Who is connected is a peer when it speaks our frames: a helper does not. */
  #introduced(connection: Connection): void {
    const peer = connection.remotePeer.toString()
    const { onIntroduced, onChange, onEvent } = this.#parts
    if (this.#stopped || !this.connections.introduced(connection)) return
    onEvent({
      kind: 'connection',
      peer,
      path: this.connections.kindOf(connection),
      by: this.connections.originOf(connection),
      limited: !carriesModels(connection),
      afterMs: Math.round(this.connections.knownMs(peer))
    })
    if (carriesModels(connection)) onIntroduced(connection)
    onChange(peer)
    this.#pruner.look(peer)
  }

  #closed(connection: Connection): void {
    if (this.#probation.failed(connection)) return
    const { node, guard, onDown, onGone } = this.#parts
    const peer = connection.remotePeer.toString()
    this.#observers?.forget(connection.id)
    this.connections.closed(connection)
    this.#ladder.closed(connection)
    const [best] = this.connections.to(peer)
    if (best === undefined) onGone(peer)
    if (this.connections.carryingTo(peer).length === 0) {
      // libp2p also tells of the end of connections that closed while they opened.
      if (this.#up.delete(peer)) onDown(peer)
      else if (best === undefined) this.#giveUp(peer)
    } else if (best !== undefined) {
      this.#parts.onChange(peer)
      // Gossip stays on the connection that it began on, and begins again when a peer is identified.
      const signal = AbortSignal.timeout(closeMsMax)
      guard.run('identifying a peer again', () =>
        node.services.identify.identify(best, { signal }).catch(() => undefined)
      )
    }
  }
}

/** IP addresses of this machine, as they are now. */
export function ownIps(): string[] {
  return Object.values(networkInterfaces()).flatMap(
    (list) => list?.map(({ address }) => address) ?? []
  )
}
