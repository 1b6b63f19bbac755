import { isLoopback, isPrivate } from '@libp2p/utils'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { StarlingError } from '../../src/core/errors.ts'
import { addressLengthMax, addressesPerContactMax } from '../../src/core/limits.ts'

/**
 * Read a multiaddr that the user wrote.
 * @param where - what it was written for, such as `--join`
 * @throws STARLING_BAD_MULTIADDR naming it and an example
 */
export function readAddress(text: string, where: string): Multiaddr {
  try {
    const address = multiaddr(text)
    if (address.getComponents().some(({ name }) => name === 'tcp')) return address
  } catch {
    // The same advice helps, whatever the parser disliked.
  }
  throw new StarlingError(
    'STARLING_BAD_MULTIADDR',
    `${where}: '${text}' is no TCP multiaddr; one looks like /ip4/192.0.2.7/tcp/4001`,
    { address: text, where }
  )
}

/** A bootstrap peer: where it is, and who must answer there. */
export interface PeerAddress {
  readonly address: Multiaddr
  readonly peer: string
}

/**
 * Read the multiaddr of a peer that the user wrote. It names the peer id, so that nobody else can
 * answer in its place.
 * @throws STARLING_BAD_MULTIADDR naming it and what it lacks
 */
export function readPeerAddress(text: string, where: string): PeerAddress {
  const address = text.startsWith('/dnsaddr/') ? readNamed(text) : readAddress(text, where)
  const peer = address && peerOf(address)
  if (address === undefined || peer === undefined) {
    throw new StarlingError(
      'STARLING_BAD_MULTIADDR',
      `${where}: '${text}' does not end in /p2p/<peer id>; take the join line that the other peer prints`,
      { address: text, where }
    )
  }
  return { address, peer }
}

/** A name whose TXT records hold the addresses, for which it needs no port. */
function readNamed(text: string): Multiaddr | undefined {
  try {
    return multiaddr(text)
  } catch {
    return undefined
  }
}

/**
 * Addresses of a peer that others told us, made ready to dial. They are claims: what is malformed,
 * too long, no TCP address or another peer's is left out, and so is what exceeds the limit.
 */
export function dialable(peer: string, addresses: readonly string[]): Multiaddr[] {
  const usable: Multiaddr[] = []
  for (const text of addresses.slice(0, addressesPerContactMax)) {
    if (text.length > addressLengthMax) continue
    try {
      const address = readAddress(text, peer)
      const named = peerOf(address)
      if (named === undefined) usable.push(address.encapsulate(`/p2p/${peer}`))
      else if (named === peer) usable.push(address)
    } catch {
      continue
    }
  }
  return usable
}

/**
 * Our own addresses as told to others: without our peer id, which travels beside them, the most
 * useful first. Loopback stays: peers on one machine meet there.
 */
export function tellable(addresses: readonly Multiaddr[]): string[] {
  const bare = addresses.map(withoutPeer)
  const sorted = [...bare].sort((a, b) => rankOf(a) - rankOf(b))
  return [...new Set(sorted.map(String))].slice(0, addressesPerContactMax)
}

/** From how far away an address can be reached; `relayed`: from anywhere, through somebody public. */
export type Reach = 'public' | 'relayed' | 'lan' | 'loopback'

const reachOrder: Record<Reach, number> = { public: 0, relayed: 1, lan: 2, loopback: 3 }

export function reachOf(address: Multiaddr): Reach {
  if (isLoopback(address)) return 'loopback'
  if (isPrivate(address)) return 'lan'
  return isRelayed(address) ? 'relayed' : 'public'
}

/** Whether the world can reach it, as far as the address tells; that of a relay for one through it. */
export function isPublic(address: Multiaddr): boolean {
  return !isLoopback(address) && !isPrivate(address)
}

export function isRelayed(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'p2p-circuit')
}

/** Of two as far-reaching, the one without a relay. */
function rankOf(address: Multiaddr): number {
  return 2 * reachOrder[reachOf(address)] + Number(isRelayed(address))
}

/** An address through a relay names two peers: the relay stays. */
function withoutPeer(address: Multiaddr): Multiaddr {
  const peer = peerOf(address)
  return peer === undefined ? address : address.decapsulate(`/p2p/${peer}`)
}

/** The peer id at the end of a multiaddr. */
function peerOf(address: Multiaddr): string | undefined {
  const last = address.getComponents().at(-1)
  return last?.name === 'p2p' ? last.value : undefined
}
