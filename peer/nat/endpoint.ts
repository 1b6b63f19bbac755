import { isPrivateIp } from '@libp2p/utils'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { addressLengthMax } from '../../src/core/limits.ts'

/** One end of a TCP connection, as routers see it. */
export interface Endpoint {
  readonly family: 'ip4' | 'ip6'
  /** In canonical spelling: equal addresses are equal strings. */
  readonly ip: string
  readonly port: number
}

/**
 * Read `/ip4/…/tcp/…` or `/ip6/…/tcp/…`, with or without a peer id after it. Whatever else an address
 * may be (relayed, a name, a websocket) is no endpoint.
 * @returns undefined for all else, however malformed
 */
export function endpointOf(address: Multiaddr | string): Endpoint | undefined {
  if (typeof address === 'string' && address.length > addressLengthMax) return undefined
  try {
    const [host, transport, peer, ...more] = multiaddr(address).getComponents()
    if (host?.name !== 'ip4' && host?.name !== 'ip6') return undefined
    if (transport?.name !== 'tcp' || more.length > 0) return undefined
    if (peer !== undefined && peer.name !== 'p2p') return undefined
    const port = Number(transport.value)
    if (port === 0) return undefined
    return { family: host.name, ip: host.value ?? '', port }
  } catch {
    return undefined
  }
}

export function addressOf({ family, ip, port }: Endpoint): string {
  return `/${family}/${ip}/tcp/${port}`
}

/** Whether it could be reached from anywhere: no private, shared, reserved or multicast address. */
export function isPublic({ family, ip }: Endpoint): boolean {
  if (isPrivateIp(ip) !== false) return false
  const [first = 0] = ip.split('.').map(Number)
  return family === 'ip6' || first < 224
}
