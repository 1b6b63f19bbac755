import { uPnPNAT, type UPnPNAT, type UPnPNATComponents } from '@libp2p/upnp-nat'
import { multiaddr } from '@multiformats/multiaddr'
import { reachOf } from '../network/addresses.ts'

/** The routers that open ports for us when asked (UPnP), as libp2p finds and uses them. */
export interface Router extends UPnPNAT {
  /** Those that have answered. */
  readonly gateways: readonly string[]
}

/**
 * Asks the router to forward our TCP ports, for as long as we live.
 *
 * Its word about our public address is taken until somebody outside has tried it (proofs.ts): a first
 * peer has nobody to ask. A router that has no public address itself is left alone, by libp2p.
 */
export function router(): (components: UPnPNATComponents) => Router {
  return (components) => {
    const service = uPnPNAT({ autoConfirmAddress: true, portMappingDescription: 'starling' })(
      components
    )
    const gateways: string[] = []
    const client = service.portMappingClient
    const find = client.findGateways.bind(client)
    client.findGateways = async function* (options) {
      for await (const gateway of find(options)) {
        if (!gateways.includes(gateway.host)) gateways.push(gateway.host)
        yield gateway
      }
    }
    return Object.assign(service, { gateways })
  }
}

/** Looking for a router is a shout into the local network: not where nobody there is to reach us. */
export function mayNeedRouter(listen: readonly string[]): boolean {
  return listen.some((text) => {
    const address = multiaddr(text)
    return address.getComponents().some(({ name }) => name === 'tcp') && reachOf(address) === 'lan'
  })
}
