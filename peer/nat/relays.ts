import { RELAY_V2_HOP_CODEC } from '@libp2p/circuit-relay-v2'
import type { IdentifyResult, Libp2pEvents, PeerId, PeerStore, Startable } from '@libp2p/interface'
import type { ComponentLogger, TypedEventTarget } from '@libp2p/interface'
import type { ConnectionManager, TransportManager } from '@libp2p/interface-internal'
import { peerIdFromString } from '@libp2p/peer-id'
import { relaysHeldMax } from '../../src/core/limits.ts'
import { isRelayed } from '../network/addresses.ts'
import { Guard } from '../guarded.ts'
import { RelayBook, type RelayBookOptions } from './relay-book.ts'
import {
  isRelayTransport,
  reservationAdded,
  reservationLost,
  type Reservations
} from './relay-transport.ts'

export interface RelaysOptions extends RelayBookOptions {
  /** Peers that the user named: their relays come first. */
  readonly trusted: readonly string[]
  /** Longest time for one attempt, dial and reservation, in milliseconds. */
  readonly attemptMsMax: number
}

export const relaysDefaults: RelaysOptions = {
  wanted: relaysHeldMax,
  pauseMs: 1_000,
  pauseMsMax: 60_000,
  trusted: [],
  attemptMsMax: 10_000
}

export interface RelaysComponents {
  readonly peerId: PeerId
  readonly peerStore: PeerStore
  readonly connectionManager: ConnectionManager
  readonly transportManager: TransportManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
}

/**
 * Keeps a place at a few relays, so that we can be reached where our router lets nobody in.
 *
 * A relay is whoever says so when we connect: a bootstrap, a peer that others told us of, or one of an
 * earlier run. One that is gone is replaced at once, and tried again for as long as we live.
 */
export class Relays implements Startable {
  readonly #parts: RelaysComponents
  readonly #options: RelaysOptions
  readonly #guard: Guard
  readonly #book: RelayBook
  #stopListening: (() => void)[] = []
  #timer: NodeJS.Timeout | undefined
  #isStarted = false
  #isTrying = false

  constructor(parts: RelaysComponents, options: RelaysOptions) {
    this.#parts = parts
    this.#options = options
    this.#book = new RelayBook(options)
    const log = parts.logger.forComponent('starling:relays')
    this.#guard = new Guard((where, error) => log.error('in %s - %e', where, error))
  }

  /** Relays that hold a place for us. */
  get held(): string[] {
    const reservations = this.#reservations
    if (reservations === undefined) return []
    return this.#book.held.filter((peer) => reservations.hasReservation(peerIdFromString(peer)))
  }

  /** Somebody told us of a relay. It is dialled where libp2p knows it to be. */
  know(peer: string): void {
    if (peer === this.#parts.peerId.toString()) return
    this.#book.know(peer, performance.now(), this.#options.trusted.includes(peer))
    this.#plan()
  }

  start(): void {
    const reservations = this.#reservations
    if (reservations === undefined) return
    this.#isStarted = true
    const { events } = this.#parts
    this.#stopListening = [
      this.#guard.listen(events, 'peer:identify', ({ detail }: Libp2pEvents['peer:identify']) =>
        this.#identified(detail)
      ),
      this.#guard.listen(
        reservations,
        reservationAdded,
        ({ detail }: CustomEvent<{ relay: PeerId }>) => this.#book.hold(detail.relay.toString())
      ),
      this.#guard.listen(
        reservations,
        reservationLost,
        ({ detail }: CustomEvent<{ relay: PeerId }>) => this.#failed(detail.relay.toString())
      )
    ]
    this.#guard.run('remembering relays', () => this.#remember())
  }

  stop(): void {
    this.#isStarted = false
    clearTimeout(this.#timer)
    for (const stop of this.#stopListening) stop()
  }

  get #reservations(): Reservations | undefined {
    return this.#parts.transportManager.getTransports().find(isRelayTransport)?.reservationStore
  }

  /** Relays of an earlier run: with all bootstraps gone they are the way back in. */
  async #remember(): Promise<void> {
    for (const { id, protocols } of await this.#parts.peerStore.all()) {
      if (protocols.includes(RELAY_V2_HOP_CODEC)) this.know(id.toString())
    }
  }

  #identified({ connection, peerId, protocols }: IdentifyResult): void {
    // A relay that is reached through another would carry us over two: never.
    if (isRelayed(connection.remoteAddr)) return
    if (protocols.includes(RELAY_V2_HOP_CODEC)) this.know(peerId.toString())
    else this.#book.forget(peerId.toString())
  }

  #failed(peer: string): void {
    this.#book.failed(peer, performance.now(), Math.random())
    this.#plan()
  }

  #plan(): void {
    if (!this.#isStarted || this.#isTrying) return
    clearTimeout(this.#timer)
    const next = this.#book.next()
    if (next === undefined) return
    const waitMs = Math.max(0, next.notBeforeMs - performance.now())
    const attempt = this.#guard.wrap('reserving a place at a relay', () => this.#attempt(next.peer))
    this.#timer = setTimeout(attempt, Math.ceil(waitMs))
  }

  /** One at a time: however many relays are known, they are not dialled all at once. */
  async #attempt(peer: string): Promise<void> {
    this.#isTrying = true
    try {
      await this.#reserve(peer)
      this.#book.hold(peer)
    } catch {
      this.#book.failed(peer, performance.now(), Math.random())
    } finally {
      this.#isTrying = false
    }
    this.#plan()
  }

  async #reserve(peer: string): Promise<void> {
    const id = peerIdFromString(peer)
    const { connectionManager } = this.#parts
    const signal = AbortSignal.timeout(this.#options.attemptMsMax)
    await connectionManager.openConnection(id, { signal })
    const reservations = this.#reservations
    // libp2p would never ask again whom it could not dial once.
    reservations?.relayFilter?.remove?.(id.toMultihash().bytes)
    await reservations?.addRelay(id, 'configured')
  }
}

export function relays(
  options: Partial<RelaysOptions> = {}
): (components: RelaysComponents) => Relays {
  return (components) => new Relays(components, { ...relaysDefaults, ...options })
}
