import { lookup as systemLookup, resolveTxt } from 'node:dns/promises'
import type { MultiaddrResolver } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { resolvedAddressesMax } from '../../src/core/limits.ts'
import type { DialRules } from './hygiene.ts'

/**
 * Names in multiaddrs become IP addresses before anything is dialed, so that what a name leads to is
 * judged as an address is (hygiene.ts). libp2p by itself looks up /dnsaddr only, and leaves the others
 * to the socket.
 */

/** Whom to ask for names. */
export interface NameService {
  /** IP addresses of a host. @throws when there are none */
  lookup(host: string, family: 4 | 6): Promise<readonly string[]>
  /** Its TXT records. @throws when there are none */
  texts(host: string): Promise<readonly string[]>
}

/** The system's: its hosts file, its resolver. */
export const systemNames: NameService = {
  async lookup(host, family) {
    return (await systemLookup(host, { all: true, family })).map(({ address }) => address)
  },
  async texts(host) {
    return (await resolveTxt(host)).map((pieces) => pieces.join(''))
  }
}

/** libp2p's resolvers of names. */
export function nameResolvers(
  names: NameService,
  rules: DialRules
): Record<string, MultiaddrResolver> {
  const tell = (from: Multiaddr, to: readonly Multiaddr[]): Multiaddr[] => {
    const some = to.slice(0, resolvedAddressesMax)
    rules.resolved(from, some)
    return some
  }
  return {
    dnsaddr: {
      canResolve: (address) => kindOf(address) === 'dnsaddr',
      resolve: async (address) => {
        // Lists that name each other could keep us asking for ever: a stranger's is not looked up.
        if (!rules.isTrusted(address)) return []
        return tell(address, await addressesIn(address, names))
      }
    },
    dns: {
      // TLS asks for the name that it dialed: that one stays.
      canResolve: (address) => familiesOf[kindOf(address)] !== undefined && !isSecured(address),
      resolve: async (address) => tell(address, await hostsOf(address, names))
    }
  }
}

const familiesOf: Readonly<Record<string, readonly (4 | 6)[]>> = {
  dns4: [4],
  dns6: [6],
  dns: [4, 6]
}

function kindOf(address: Multiaddr): string {
  return address.getComponents()[0]?.name ?? ''
}

function isSecured(address: Multiaddr): boolean {
  return address.getComponents().some(({ name }) => name === 'tls' || name === 'wss')
}

/** The host's IP addresses in place of its name. */
async function hostsOf(address: Multiaddr, names: NameService): Promise<Multiaddr[]> {
  const [place, ...rest] = address.getComponents()
  const families = familiesOf[place?.name ?? ''] ?? []
  const tail = rest.map(({ name, value }) =>
    value === undefined ? `/${name}` : `/${name}/${value}`
  )
  const found = await Promise.allSettled(
    families.map(async (family) => {
      const hosts = await names.lookup(place?.value ?? '', family)
      return hosts.map((host) => multiaddr(`/ip${family}/${host}${tail.join('')}`))
    })
  )
  return someOf(found)
}

/** Multiaddrs in TXT records of `_dnsaddr.HOST`; of the peer that is asked for, when one is. */
async function addressesIn(address: Multiaddr, names: NameService): Promise<Multiaddr[]> {
  const [place, ...rest] = address.getComponents()
  const wanted = rest.find(({ name }) => name === 'p2p')?.value
  const found: Multiaddr[] = []
  for (const text of await names.texts(`_dnsaddr.${place?.value}`)) {
    const [, written] = /^\s*"?dnsaddr=([^"\s]{1,512})"?\s*$/.exec(text) ?? []
    if (written === undefined || (wanted !== undefined && !written.includes(wanted))) continue
    try {
      found.push(multiaddr(written))
    } catch {
      // One bad record among good ones costs nobody the others.
    }
  }
  return found
}

/** What could be found; the first failure when that is nothing. */
function someOf(results: readonly PromiseSettledResult<Multiaddr[]>[]): Multiaddr[] {
  const found = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))
  const failed = results.find(({ status }) => status === 'rejected')
  if (found.length === 0 && failed?.status === 'rejected') throw failed.reason
  return found
}
