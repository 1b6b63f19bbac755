import { BlockList, isIPv4, isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Multiaddr } from '@multiformats/multiaddr'
import { trustedAddressesMax } from '../../src/core/limits.ts'

/**
 * Which addresses that others told us may be dialed.
 *
 * An address is a claim, and a dial is a TCP connection from inside our network: a stranger who may
 * choose it makes us knock at our own router, at a neighbour's printer or at a cloud's metadata
 * service. So a private address is dialed only where we share its network, and a port of the system
 * services only where swarms live, too. What the user wrote is not judged here.
 */

/** Why an address is not dialed. */
export type Complaint =
  | 'no-place' // no IP address in it that could be judged: a name, a path, or nothing at all
  | 'unspecified' // 0.0.0.0, ::
  | 'loopback' // this machine, and nobody here was met that way
  | 'private' // of a network that we are not part of
  | 'link-local' // of a link that we are not on
  | 'multicast' // multicast, broadcast, or reserved for the future
  | 'metadata' // where clouds hand out their secrets
  | 'port' // of a system service

/** Where we are, as far as it decides about private addresses. */
export interface Surroundings {
  /** Networks that we are part of, such as 192.168.1.0/24: those of our interfaces. */
  readonly subnets: readonly string[]
  /** IP addresses that we have had direct connections with: their kind of network is one that we share. */
  readonly company: readonly string[]
}

/**
 * @param address - with names resolved; of a relayed one, the relay's own address is judged
 * @returns undefined for one that may be dialed
 */
export function complaintOf(address: Multiaddr, surroundings: Surroundings): Complaint | undefined {
  const [place, transport] = address.getComponents()
  // Nodes within one process: there is no network to get into.
  if (place?.name === 'memory') return undefined
  const isIp = place?.name === 'ip4' || place?.name === 'ip6'
  if (!isIp || place.value === undefined) return 'no-place'
  const port = Number(transport?.value)
  if (port < systemPorts && !publicPorts.has(port)) return 'port'
  return complaintOfIp(place.value, surroundings)
}

/** Below this, ports are the system's. */
const systemPorts = 1024
/** Where peers hide from firewalls that let nothing but the web through. */
const publicPorts: ReadonlySet<number> = new Set([80, 443])

function complaintOfIp(ip: string, { subnets, company }: Surroundings): Complaint | undefined {
  const block = blockOf(ip)
  if (block === undefined) return undefined
  const isShared =
    subnets.some((subnet) => contains(listOf(subnet), embeddedIpv4(ip) ?? ip)) ||
    company.some((other) => blockOf(other) === block)
  return isShared && !block.never ? undefined : block.complaint
}

interface Block {
  readonly complaint: Complaint
  readonly list: BlockList
  /** Whoever asks. */
  readonly never: boolean
}

const block = (complaint: Complaint, subnet: string, never = false): Block => ({
  complaint,
  list: listOf(subnet),
  never
})

/** The first that fits counts. IANA's registries of special-purpose addresses. */
const blocks: readonly Block[] = [
  block('metadata', '169.254.169.254/32', true),
  block('metadata', 'fd00:ec2::254/128', true),
  block('unspecified', '0.0.0.0/8', true),
  block('unspecified', '::/128', true),
  block('multicast', '224.0.0.0/3', true), // and 240.0.0.0/4, broadcast among them
  block('multicast', 'ff00::/8', true),
  block('loopback', '127.0.0.0/8'),
  block('loopback', '::1/128'),
  block('link-local', '169.254.0.0/16'),
  block('link-local', 'fe80::/10'),
  ...[
    ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'], // RFC 1918
    ...['100.64.0.0/10', '198.18.0.0/15', '192.0.0.0/24'], // carriers, benchmarks, protocols
    ...['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24'], // documentation
    ...['fc00::/7', '100::/64', '2001:db8::/32'] // unique local, discarding, documentation
  ].map((subnet) => block('private', subnet))
]

/** Undefined for the address of a place that anybody can reach. */
function blockOf(written: string): Block | undefined {
  const ip = embeddedIpv4(written) ?? written
  return blocks.find(({ list }) => contains(list, ip))
}

function listOf(subnet: string): BlockList {
  const [network = '', bits] = subnet.split('/')
  const list = new BlockList()
  list.addSubnet(network, Number(bits), isIPv4(network) ? 'ipv4' : 'ipv6')
  return list
}

function contains(list: BlockList, ip: string): boolean {
  if (isIPv4(ip)) return list.check(ip, 'ipv4')
  return isIPv6(ip) && list.check(ip, 'ipv6')
}

/**
 * The IPv4 address that an IPv6 one stands for: mapped (::ffff:0:0/96), compatible (::/96), behind a
 * translator (64:ff9b::/96, RFC 6052) or 6to4 (2002::/16, RFC 3056).
 */
function embeddedIpv4(ip: string): string | undefined {
  if (!isIPv6(ip)) return undefined
  const groups = groupsOf(ip)
  const prefix = groups.slice(0, 6).join(':')
  const low = groups.slice(6)
  if (prefix === '0:0:0:0:0:65535' || prefix === '100:65435:0:0:0:0') return dotted(low)
  if (prefix === '0:0:0:0:0:0' && (low[0] ?? 0) > 0) return dotted(low)
  return groups[0] === 0x2002 ? dotted(groups.slice(1, 3)) : undefined
}

function dotted(groups: readonly number[]): string {
  return groups.flatMap((group) => [group >> 8, group & 0xff]).join('.')
}

/** The eight groups of an IPv6 address. */
function groupsOf(ip: string): number[] {
  const plain = ip.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = '', tail] = plain.split('::')
  const read = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => parseInt(group, 16))
  const [left, right] = [read(head), read(tail ?? '')]
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
}

/**
 * The networks that we are part of: those of our interfaces, and this machine's own where we listen
 * on nothing else.
 * @param listen - multiaddrs that we listen on
 */
export function ownSubnets(listen: readonly Multiaddr[]): string[] {
  const outward = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .flatMap(({ internal, cidr }) => (internal || cidr === null ? [] : [cidr]))
  const onLoopback = listen
    .map((address) => address.getComponents()[0]?.value ?? '')
    .some((ip) => blockOf(ip)?.complaint === 'loopback')
  return onLoopback ? [...outward, '127.0.0.0/8', '::1/128'] : outward
}

/** The judge of every dial of one node. */
export class DialRules {
  readonly #trusted = new Set<string>()
  readonly #subnets: () => readonly string[]
  readonly #company = new Map<Block, string>()

  /**
   * @param trusted - what the user wrote: it is dialed wherever it leads
   * @param subnets - networks that we are part of now
   */
  constructor(trusted: readonly Multiaddr[], subnets: () => readonly string[]) {
    this.#subnets = subnets
    for (const address of trusted) this.trust(address)
  }

  /** The user wrote it. Above trustedAddressesMax it is judged like any other. */
  trust(address: Multiaddr): void {
    const text = address.toString()
    const [relay = text] = text.split('/p2p-circuit') // which is dialed first, by itself
    for (const each of [text, relay]) {
      if (this.#trusted.size < trustedAddressesMax) this.#trusted.add(each)
    }
  }

  isTrusted(address: Multiaddr): boolean {
    return this.#trusted.has(address.toString())
  }

  /** A name was looked up: where the user's own names lead is the user's word, too. */
  resolved(from: Multiaddr, to: readonly Multiaddr[]): void {
    if (this.isTrusted(from)) for (const address of to) this.trust(address)
  }

  /** A direct connection is open: its far end's kind of network is one that we share. */
  met(address: Multiaddr): void {
    const [place, ...rest] = address.getComponents()
    const ip = place?.value
    if (ip === undefined || rest.some(({ name }) => name === 'p2p-circuit')) return
    const kind = blockOf(ip)
    if (kind !== undefined) this.#company.set(kind, ip)
  }

  /** @returns why this address is not dialed; undefined when it is */
  complaintOf(address: Multiaddr): Complaint | undefined {
    if (this.isTrusted(address)) return undefined
    const surroundings = { subnets: this.#subnets(), company: [...this.#company.values()] }
    return complaintOf(address, surroundings)
  }
}
