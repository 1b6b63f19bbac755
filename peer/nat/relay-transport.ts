import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import type { CircuitRelayTransportComponents } from '@libp2p/circuit-relay-v2'
import type { Connection, Listener, PeerId, Stream, Transport } from '@libp2p/interface'
import { CODE_P2P, multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { addressLengthMax, addressesPerRelayMax, relayedInboundMax } from '../../src/core/limits.ts'
import { isPublic } from '../network/addresses.ts'
import { Guard } from '../guarded.ts'

/**
 * libp2p's circuit transport with one listener, whose addresses are those of the relays that the
 * keeper (relays.ts) holds.
 *
 * The stock listener searches for relays by itself, at whoever claims to be one, remembers a failed
 * dial for ever, and does not come back to a relay that does. And a peer that calls itself a relay
 * and hands us a connection is made one of ours: here, only a relay that we chose is.
 */

/** What a reservation is, as far as we need to know it. */
interface Entry {
  readonly connection: string
  readonly reservation: { readonly addrs: readonly Uint8Array[] }
}

type Change = CustomEvent<{ readonly relay: PeerId; readonly details: Entry }>

/** Reservations as libp2p keeps them: refreshed in time, gone with their connection. */
export interface Reservations extends EventTarget {
  addRelay(peer: PeerId, type: 'configured'): Promise<unknown>
  hasReservation(peer: PeerId): boolean
  cancelReservations(): void
  /** Relays never to be asked again. */
  readonly relayFilter?: { remove?(item: Uint8Array): boolean }
}

export const reservationAdded = 'relay:created-reservation'
export const reservationLost = 'relay:removed'

/** What libp2p's type does not tell of its transport. */
interface Inside {
  readonly reservationStore: Reservations
  onStop: (stream: Stream, connection: Connection) => Promise<void>
}

export function isRelayTransport(transport: Transport): transport is Transport & Inside {
  return 'reservationStore' in transport
}

/** Where a node with this transport has to listen, besides all else. */
export const relayListen = '/p2p-circuit'

/** Dials through relays, and is reached through those that the keeper has reserved a place at. */
export function relayTransport(): (components: CircuitRelayTransportComponents) => Transport {
  return (components) => {
    const transport = circuitRelayTransport({
      maxInboundStopStreams: relayedInboundMax,
      maxOutboundStopStreams: relayedInboundMax,
      // Nobody is news to it: whom to reserve at is the keeper's choice.
      discoveryFilter: { has: () => true, add: () => undefined, remove: () => undefined }
    })(components) as Transport & Inside
    const { reservationStore } = transport
    const accept = transport.onStop
    transport.onStop = async (stream, connection) => {
      if (reservationStore.hasReservation(connection.remotePeer)) await accept(stream, connection)
      else stream.abort(new Error('no relay of ours'))
    }
    const places = placesAt(reservationStore, components)
    const createListener = transport.createListener.bind(transport)
    transport.createListener = (options) => places.shownBy(createListener(options))
    return transport
  }
}

/**
 * Where we can be reached by our reservations, kept from the first of them on: libp2p may make one
 * before it listens anywhere.
 */
function placesAt(
  reservations: Reservations,
  { addressManager, connectionManager, logger }: CircuitRelayTransportComponents
): { shownBy(listener: Listener): Listener } {
  const log = logger.forComponent('starling:relay-transport')
  const guard = new Guard((where, error) => log.error('in %s - %e', where, error))
  const held = new Map<string, readonly Multiaddr[]>()
  const listeners = new Set<Listener>()
  const hold = (relay: string, addresses: readonly Multiaddr[]): void => {
    for (const address of held.get(relay) ?? []) addressManager.removeObservedAddr(address)
    held.set(relay, addresses)
    for (const address of addresses) {
      addressManager.confirmObservedAddr(address, { type: 'transport' })
    }
    for (const listener of listeners) listener.dispatchEvent(new CustomEvent('listening'))
  }
  // The transport's own: they live and end together.
  guard.listen(reservations, reservationAdded, ({ detail: { relay, details } }: Change) => {
    const over = connectionManager.getConnections(relay).find(({ id }) => id === details.connection)
    hold(relay.toString(), addressesAt(relay, details, over))
  })
  guard.listen(reservations, reservationLost, ({ detail: { relay } }: Change) => {
    hold(relay.toString(), [])
    held.delete(relay.toString())
  })
  return {
    shownBy(listener) {
      listeners.add(listener)
      listener.listen = () => Promise.resolve()
      listener.getAddrs = () => [...held.values()].flat()
      const close = listener.close.bind(listener)
      listener.close = () => {
        listeners.delete(listener)
        return close()
      }
      return listener
    }
  }
}

/**
 * The addresses that others can reach a relay at: the one that we dialled, and what it says of
 * itself. That is a claim: only what names this relay and no other is taken, and little of it.
 */
function addressesAt(
  relay: PeerId,
  { reservation }: Entry,
  over: Connection | undefined
): Multiaddr[] {
  const bare = (address: Multiaddr): string => address.decapsulateCode(CODE_P2P).toString()
  const claimed = reservation.addrs.flatMap((bytes) => {
    try {
      return [bare(multiaddr(bytes))]
    } catch {
      return []
    }
  })
  // The connection's own address is always among the claims: of one that came in, nobody listens there.
  const known = over === undefined ? [] : [bare(over.remoteAddr)]
  const usable =
    over?.direction === 'outbound'
      ? [...known, ...claimed]
      : claimed.filter((address) => !known.includes(address))
  const distinct = [...new Set(usable)]
    .filter((text) => !text.includes('p2p-circuit'))
    .map((text) => multiaddr(`${text}/p2p/${relay.toString()}/p2p-circuit`))
    .filter((address) => address.toString().length <= addressLengthMax)
  // A relay on our own network is of use there alone, if it has another address.
  return distinct
    .sort((a, b) => Number(isPublic(b)) - Number(isPublic(a)))
    .slice(0, addressesPerRelayMax)
}
