import type { Multiaddr } from '@multiformats/multiaddr'

/** Where somebody connects from, as far as caps are concerned. */
export interface Place {
  /** An IPv4 address, or an IPv6 /64: what one household has. */
  readonly host: string
  /** An IPv4 /24, or an IPv6 /48. */
  readonly subnet: string
}

/** @returns undefined for an address without an IP, such as a memory address */
export function placeOf(address: Multiaddr): Place | undefined {
  const [first] = address.getComponents()
  if (first?.value === undefined) return undefined
  if (first.name === 'ip4') return placeOfIp(first.value)
  return first.name === 'ip6' ? placeOfIp(first.value) : undefined
}

/** @param ip - as Node's sockets name it; not checked further */
export function placeOfIp(ip: string): Place {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(ip)
  const ip4 = mapped?.[1] ?? (ip.includes(':') ? undefined : ip)
  if (ip4 !== undefined) return { host: ip4, subnet: `${ip4.split('.').slice(0, 3).join('.')}/24` }
  const groups = groupsOf(ip)
  return {
    host: `${groups.slice(0, 4).join(':')}/64`,
    subnet: `${groups.slice(0, 3).join(':')}/48`
  }
}

/** The eight groups of an IPv6 address, without leading zeros; `::` and a last IPv4 are written out. */
export function groupsOf(ip: string): readonly string[] {
  const [zoneless = ''] = ip.split('%')
  const bare = zoneless.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number)
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`
  })
  const [head = '', tail] = bare.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill('0')
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16).toString(16))
}
