import type {
  Connection,
  ConnectionGater,
  MultiaddrConnection,
  PeerId,
  Upgrader
} from '@libp2p/interface'
import type { TransportManager } from '@libp2p/interface-internal'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { DialBudget } from './dial-budget.ts'
import { endpointOf } from './endpoint.ts'
import type { OwnPort } from './own-port.ts'

export interface DialerComponents {
  readonly transportManager: TransportManager
  readonly upgrader: Upgrader
  readonly connectionGater: ConnectionGater
}

export interface DialerOptions {
  readonly ownPort: OwnPort
  readonly budget: DialBudget
}

/** In a handshake one end speaks first. Two that dialed each other have to agree on who. */
export type Role = 'initiator' | 'responder'

/**
 * Dials single addresses, beside libp2p's own queue: that tries a peer's addresses one after another,
 * six seconds each, and cannot answer a handshake on a connection that it made.
 */
export class Dialer {
  readonly ownPort: OwnPort
  readonly budget: DialBudget
  readonly #parts: DialerComponents

  constructor(parts: DialerComponents, options: DialerOptions) {
    this.#parts = parts
    this.ownPort = options.ownPort
    this.budget = options.budget
  }

  /** TCP ports that we listen on. */
  listenPorts(): number[] {
    const endpoints = this.#parts.transportManager.getAddrs().map((address) => endpointOf(address))
    return [...new Set(endpoints.flatMap((endpoint) => endpoint?.port ?? []))]
  }

  /**
   * @param address - ends in the id of the peer that must answer there
   * @param signal - must not fire after this has settled: it then ends the connection itself
   */
  async dial(peer: PeerId, address: Multiaddr, signal: AbortSignal): Promise<Connection> {
    await this.#refuseUnwanted(peer, address)
    return this.#parts.transportManager.dial(address, { signal })
  }

  /** The same from our own port alone, and in a role that both ends agreed on. */
  async meet(
    peer: PeerId,
    address: Multiaddr,
    role: Role,
    signal: AbortSignal
  ): Promise<Connection> {
    await this.#refuseUnwanted(peer, address)
    const transport = this.#parts.transportManager
      .getTransports()
      .find((transport) => transport.dialFilter([address]).length > 0)
    if (transport === undefined) throw new Error('no transport for this address')
    const options = { signal, upgrader: this.#upgraderFor(role), onlyFromOwnPort: true }
    return transport.dial(address, options)
  }

  /** libp2p asks its gater in its own queue, which these dials do not pass. */
  async #refuseUnwanted(peer: PeerId, address: Multiaddr): Promise<void> {
    const gater = this.#parts.connectionGater
    const isUnwanted = (await gater.denyDialPeer?.(peer)) ?? false
    if (isUnwanted || ((await gater.denyDialMultiaddr?.(address)) ?? false)) {
      throw new Error('this peer is not to be dialed')
    }
  }

  /** Everything about the responder's connection is as if it had come in: streams are numbered so. */
  #upgraderFor(role: Role): Upgrader {
    const { upgrader } = this.#parts
    if (role === 'initiator') return upgrader
    const upgradeOutbound = (connection: MultiaddrConnection, options: object) => {
      connection.direction = 'inbound'
      return upgrader.upgradeOutbound(connection, {
        ...options,
        initiator: false
      } as UpgradeOptions)
    }
    return Object.create(upgrader, { upgradeOutbound: { value: upgradeOutbound } }) as Upgrader
  }
}

type UpgradeOptions = Parameters<Upgrader['upgradeOutbound']>[1]

/** A service of our libp2p node. */
export function dialer(options: DialerOptions): (components: DialerComponents) => Dialer {
  return (components) => new Dialer(components, options)
}
