import { createSocket } from 'node:dgram'
import { readFile } from 'node:fs/promises'
import { networkInterfaces, type NetworkInterfaceInfo } from 'node:os'
import { isPrivateIp } from '@libp2p/utils'
import { routersMax } from '../../../src/core/limits.ts'

/**
 * Routers that may speak NAT-PMP: our default gateways.
 *
 * Linux tells which they are. Elsewhere only commands do, each in a language of its own, so the two
 * places are tried where nearly all home routers are: the first and the last of each private network.
 */
export async function ownGateways(): Promise<string[]> {
  const own = ownNetworks()
  const routes = await readFile('/proc/net/route', 'utf8').catch(() => null)
  const gateways = routes === null ? likelyGateways(own) : defaultGateways(routes)
  return gateways.slice(0, routersMax)
}

/** Our IPv4 addresses with their networks, of those kinds that routers give to homes. */
export function ownNetworks(): NetworkInterfaceInfo[] {
  return Object.values(networkInterfaces())
    .flatMap((all) => all ?? [])
    .filter(({ family, internal, address }) => {
      return family === 'IPv4' && !internal && isPrivateIp(address) === true
    })
}

/** The address that we have towards a host: asks our own routes, and sends nothing. */
export async function addressTowards(host: string): Promise<string> {
  const socket = createSocket('udp4')
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  socket.on('error', reject)
  socket.connect(9, host, (error?: Error) => {
    if (error) reject(error)
    else resolve(socket.address().address)
  })
  return promise.finally(() => socket.close())
}

/** @param table - /proc/net/route: name, destination and gateway, little-endian, then flags */
export function defaultGateways(table: string): string[] {
  const gateways = table.split('\n').flatMap((line) => {
    const [, destination, gateway = ''] = line.split('\t')
    if (destination !== '00000000' || !/^[0-9A-F]{8}$/.test(gateway)) return []
    const ip = [...Buffer.from(gateway, 'hex')].reverse().join('.')
    return isPrivateIp(ip) === true && ip !== '0.0.0.0' ? [ip] : []
  })
  return [...new Set(gateways)]
}

/** The first and the last host of each network, our own addresses left out. */
export function likelyGateways(
  own: readonly Pick<NetworkInterfaceInfo, 'address' | 'netmask'>[]
): string[] {
  const ours = own.map(({ address }) => numberOf(address))
  const hosts = own.flatMap(({ address, netmask }) => {
    const mask = numberOf(netmask)
    const network = (numberOf(address) & mask) >>> 0
    const broadcast = (network | ~mask) >>> 0
    return broadcast - network < 3 ? [] : [network + 1, broadcast - 1]
  })
  return [...new Set(hosts)].filter((host) => !ours.includes(host)).map(textOf)
}

function numberOf(ip: string): number {
  return ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function textOf(ip: number): string {
  return [24, 16, 8, 0].map((bits) => (ip >>> bits) & 0xff).join('.')
}
