import { uPnPNAT, type UPnPNATComponents } from '@libp2p/upnp-nat'
import { multiaddr } from '@multiformats/multiaddr'
import { reachOf } from '../network/addresses.ts'
import { PortMapper } from './mapping/port-mapper.ts'
import type { RouterFound } from './mapping/gateway.ts'

/** The routers that open ports for us when asked, as we find and libp2p uses them. */
export interface RouterService {
  /** Those that have answered. */
  readonly gateways: readonly RouterFound[]
}

/**
 * Asks the router to forward our TCP ports, for as long as we live, by UPnP or NAT-PMP.
 *
 * Its word about our public address is taken until somebody outside has tried it (proofs.ts): a first
 * peer has nobody to ask. A router that has no public address itself is left alone.
 */
export function router(): (components: UPnPNATComponents) => RouterService {
  return (components) => {
    const portMappingClient = new PortMapper()
    const service = uPnPNAT({ autoConfirmAddress: true, portMappingClient })(components)
    return Object.defineProperty(service, 'gateways', {
      get: () => portMappingClient.found
    }) as typeof service & RouterService
  }
}

/** Looking for a router is a shout into the local network: not where nobody there is to reach us. */
export function mayNeedRouter(listen: readonly string[]): boolean {
  return listen.some((text) => {
    const address = multiaddr(text)
    return address.getComponents().some(({ name }) => name === 'tcp') && reachOf(address) === 'lan'
  })
}
