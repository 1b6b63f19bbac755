import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2pEvents } from '@libp2p/interface'
import { ownIps } from '../links.ts'
import { tellable, type PeerAddress } from '../network/addresses.ts'
import { createNetwork, startNetwork } from '../network/network.ts'
import { Guard } from '../guarded.ts'
import { reasonOf } from '../reason.ts'
import { Observers } from './observers.ts'
import { reachOfNode, type ReachOfNode } from './reach.ts'
import { askStun, stunPort } from './stun-client.ts'

export interface ProbeOptions {
  /** Whom to ask. */
  readonly helpers: readonly PeerAddress[]
  readonly listen: readonly string[]
  readonly upnp: boolean
  readonly stunPort: number
  /** How long routers and helpers have to show what they can do, in milliseconds. */
  readonly lookMs: number
}

export interface Probe {
  readonly reach: ReachOfNode
  readonly addresses: readonly string[]
  /** Of each helper: why it could not be reached; null for one that was. */
  readonly helpers: readonly { readonly address: string; readonly failure: string | null }[]
  /** Where the helpers' STUN servers see us, over UDP. */
  readonly stun: readonly { readonly server: string; readonly seen: string | null }[]
}

/** UPnP is found and used in five seconds (measured), and then somebody has to try it. */
export const probeDefaults = { upnp: true, stunPort, lookMs: 9_000 } as const

const dialMsMax = 8_000

/**
 * Live for a few seconds as a member would, under a key of no meaning, and see how we are reached.
 * @throws STARLING_PORT_TAKEN, STARLING_BAD_MULTIADDR as startNetwork does
 */
export async function probeReach(options: ProbeOptions): Promise<Probe> {
  const { helpers, listen, upnp } = options
  const trusted = helpers.map(({ peer }) => peer)
  const node = await createNetwork({
    privateKey: await generateKeyPair('Ed25519'),
    ...{ listen, announce: [], datastorePath: null, trusted, upnp, discovers: false },
    gossipScore: () => 0,
    onTrouble: () => undefined
  })
  const { dialer } = node.services
  const observers = new Observers({ dialPort: dialer?.ownPort.number ?? 0, ownIps })
  const guard = new Guard(() => undefined)
  guard.listen(node, 'peer:identify', ({ detail }: Libp2pEvents['peer:identify']) => {
    const { connection, observedAddr } = detail
    if (observedAddr === undefined || dialer?.ownPort.carries(connection) !== true) return
    observers.saw(connection.id, connection.remoteAddr, observedAddr)
  })
  await startNetwork(node)
  try {
    const dialled = helpers.map(async ({ address }) => {
      const signal = AbortSignal.timeout(dialMsMax)
      const failure = await node.dial(address, { signal }).then(() => null, reasonOf)
      return { address: address.toString(), failure }
    })
    const asked = seenByStun(options)
    const { promise: looked, resolve } = Promise.withResolvers<void>()
    setTimeout(resolve, options.lookMs)
    const [outcomes, stun] = await Promise.all([Promise.all(dialled), asked, looked])
    const addresses = tellable(node.getMultiaddrs())
    const { mapping, external } = observers
    return {
      reach: reachOfNode(node, addresses, { mapping, external, punched: 0, missed: 0 }),
      addresses,
      helpers: outcomes,
      stun
    }
  } finally {
    await node.stop()
  }
}

function seenByStun({ helpers, stunPort }: ProbeOptions): Promise<Probe['stun']> {
  const servers = helpers.flatMap(({ address }) => {
    const [host] = address.getComponents()
    return host?.name === 'ip4' || host?.name === 'ip6' ? (host.value ?? []) : []
  })
  return Promise.all(
    [...new Set(servers)].map(async (server) => {
      const seen = await askStun({ server, port: stunPort }).catch(() => undefined)
      return { server, seen: seen === undefined ? null : `${seen.ip} port ${seen.port}` }
    })
  )
}
