import { networkInterfaces } from 'node:os'
import { dcutr } from '@libp2p/dcutr'
import { gossipsub, type GossipSub } from '@libp2p/gossipsub'
import { identify, identifyPush, type Identify, type IdentifyPush } from '@libp2p/identify'
import type { ConnectionGater, Libp2p, MultiaddrConnection, PrivateKey } from '@libp2p/interface'
import { passthroughMapper, type KadDHT } from '@libp2p/kad-dht'
import { memory } from '@libp2p/memory'
import { noise } from '@libp2p/noise'
import { preSharedKey } from '@libp2p/pnet'
import { ping, type Ping } from '@libp2p/ping'
import { isPrivateIp } from '@libp2p/utils'
import { yamux } from '@libp2p/yamux'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { StarlingError } from '../../src/core/errors.ts'
import {
  connectionsMax,
  dialsPerMinuteMax,
  handshakesMax,
  pingStreamsMax,
  inboundConnectionsPerSecondMax,
  topicBytesPerPeerMax
} from '../../src/core/limits.ts'
import { frugalDht } from '../discovery/frugal-dht.ts'
import { proofs, type Proofs } from '../nat/proofs.ts'
import { relayListen, relayTransport } from '../nat/relay-transport.ts'
import { relays, type Relays } from '../nat/relays.ts'
import { WebRtc } from '../nat/webrtc.ts'
import type { WebRtcLibrary } from '../nat/webrtc-library.ts'
import { mayNeedRouter, router, type RouterService } from '../nat/upnp.ts'
import { DialBudget } from '../nat/dial-budget.ts'
import { dialer, type Dialer } from '../nat/dialer.ts'
import { chooseOwnPort } from '../nat/own-port.ts'
import { reuseTcp } from '../nat/reuse-tcp.ts'
import { lan, type Lan } from '../discovery/lan.ts'
import { readAddress } from './addresses.ts'
import type { DialRules } from './hygiene.ts'
import { nameResolvers, systemNames, type NameService } from './names.ts'
import { Hearing } from './hearing.ts'
import { PeerFiles } from './peer-files.ts'
import { reasonOf } from '../reason.ts'

/** Our libp2p: which transports, which services, and every setting that differs from its defaults. */

export interface Services extends Record<string, unknown> {
  readonly identify: Identify
  readonly identifyPush: IdentifyPush
  readonly ping: Ping
  readonly proofs: Proofs
  /** Missing in helpers, which do not look for connections that died. */
  readonly hearing?: Hearing
  /** Missing where nobody is reached through relays: in memory, and in relays themselves. */
  readonly relays?: Relays
  /** Missing where no router is asked for anything. */
  readonly router?: RouterService
  /** Missing in a node in memory, where there are no routers. */
  readonly dialer?: Dialer
  /** Missing where the user has not asked for it. */
  readonly webrtc?: WebRtc
  /** Both missing in a node that does not look for peers. */
  readonly dht?: KadDHT
  readonly pubsub?: GossipSub
  /** Missing in a node that does not look around its local network. */
  readonly lan?: Lan
}

export type StarlingNode = Libp2p<Services>

export interface NetworkOptions {
  readonly privateKey: PrivateKey
  /** Multiaddrs to listen on. */
  readonly listen: readonly string[]
  /** Multiaddrs that others should use to reach us, besides those found here. */
  readonly announce: readonly string[]
  /** Directory for what libp2p remembers of peers; null to forget it. */
  readonly datastorePath: string | null
  /** What a gossip peer has earned by its conduct: 0 or less. See announcements.ts. */
  readonly gossipScore: (peer: string) => number
  /** Told when the disk refuses what libp2p wants to remember. */
  readonly onTrouble: (what: string) => void
  /** By default TCP; memory is for many nodes in one process, and `listen` then has memory addresses. */
  readonly transport?: 'tcp' | 'memory'
  /**
   * Looks for peers by itself, as by default. Without, it has no DHT and no gossip, which make
   * connections of their own: somebody else says who is connected to whom.
   */
  readonly discovers?: boolean
  /** Whom to be connected to, asked when a peer is dialed and when one that dialed us proved who it is. */
  readonly admits?: (peer: string, isDialed: boolean) => boolean
  /**
   * Strangers may be connected for a moment: no DHT and no gossip, where they could read who takes part.
   */
  readonly isPrivate?: boolean
  /** Tells the local network of itself, and hears who else is there. Off by default. */
  readonly lan?: boolean
  /** Which addresses to dial; all of them without. */
  readonly rules?: DialRules
  /** Whom to ask for names in addresses; by default the system. */
  readonly names?: NameService
  /** Content of a swarm key's file: only nodes that hold the same understand each other. */
  readonly swarmKey?: Uint8Array
  /** Peers that the user named: their relays come before others. */
  readonly trusted?: readonly string[]
  /** Asks the router to forward our ports; by default not. */
  readonly upnp?: boolean
  /**
   * Punches by WebRTC where TCP does not get through; by default not. Never in a private swarm: it
   * passes by the swarm key.
   */
  readonly webrtc?: WebRtcLibrary
}

const MiB = 2 ** 20
const dayMs = 86_400_000

/**
 * A libp2p node that is not started: peers that dial one must find it answering our protocols, so
 * whoever handles them starts it (startNetwork).
 *
 * @throws STARLING_BAD_MULTIADDR when `listen` or `announce` holds no TCP multiaddr
 * @throws STARLING_HOME_UNUSABLE when the datastore cannot be opened
 */
export async function createNetwork(options: NetworkOptions): Promise<StarlingNode> {
  const { transport = 'tcp', discovers = true, rules, swarmKey } = options
  const settings = await commonSettings(options)
  const hearing = new Hearing(() => performance.now())
  const isReal = transport === 'tcp'
  const paths = isReal ? await routed(options) : { transports: [memory()], services: {} }
  return createLibp2p<Services>({
    ...settings,
    addresses: {
      ...settings.addresses,
      listen: [...settings.addresses.listen, ...(isReal ? [relayListen] : [])]
    },
    transports: paths.transports,
    connectionGater: gaterOf(options, hearing),
    ...(swarmKey === undefined ? {} : { connectionProtector: preSharedKey({ psk: swarmKey }) }),
    connectionManager: {
      ...(rules === undefined
        ? {}
        : { resolvers: nameResolvers(options.names ?? systemNames, rules) }),
      // Whoever says who is connected to whom means it: no connection is one too many.
      maxConnections: discovers ? connectionsMax : Infinity,
      inboundConnectionThreshold: discovers ? inboundConnectionsPerSecondMax : Infinity,
      maxIncomingPendingConnections: discovers ? handshakesMax : Infinity
    },
    services: {
      ...commonServices(),
      hearing: () => hearing,
      ...paths.services,
      ...(options.lan === true ? { lan: lan() } : {}),
      ...(discovers && options.isPrivate !== true ? discovery(options.gossipScore) : {})
    }
  })
}

/** TCP through routers: from one port, by relays, and with the means to do without them. */
async function routed(options: NetworkOptions) {
  const { discovers = true, trusted = [], upnp = false, listen } = options
  const ownPort = await chooseOwnPort()
  const nowMs = () => performance.now()
  const budget = new DialBudget(discovers ? dialsPerMinuteMax : Infinity, nowMs)
  const isClosed = options.isPrivate === true || options.swarmKey !== undefined
  const webrtc =
    options.webrtc === undefined || isClosed
      ? undefined
      : new WebRtc({ library: options.webrtc, budget, nowMs })
  return {
    transports: [
      reuseTcp({ ownPort, budget }),
      relayTransport(),
      ...(webrtc === undefined ? [] : [webrtc.transport])
    ],
    services: {
      dialer: dialer({ ownPort, budget }),
      ...(webrtc === undefined ? {} : { webrtc: () => webrtc }),
      // Its hole punching does not work over TCP; that one end can be dialed by the other it finds out.
      dcutr: dcutr(),
      relays: relays({ trusted }),
      ...(upnp && mayNeedRouter(listen) ? { router: router() } : {})
    }
  }
}

export type CommonOptions = Pick<
  NetworkOptions,
  'privateKey' | 'listen' | 'announce' | 'datastorePath' | 'onTrouble' | 'transport'
>

export type CommonSettings = Omit<Libp2pOptions, 'services'> & {
  readonly addresses: { readonly listen: string[]; readonly appendAnnounce: string[] }
}

/** What all our libp2p nodes have in common: members of swarms and those who help them. */
export async function commonSettings(options: CommonOptions): Promise<CommonSettings> {
  const listen =
    options.transport === 'memory'
      ? options.listen.map((address) => multiaddr(address))
      : options.listen.map((address) => readAddress(address, 'listen'))
  const announce = options.announce.map((address) => readAddress(address, 'announce'))
  const datastore = await openDatastore(options)
  const streamMuxers: NonNullable<Libp2pOptions['streamMuxers']> = [
    yamux({
      streamOptions: {
        // More than one window may be in flight when a stream pauses: with libp2p's 16 MiB window
        // and 4 MiB buffer that would abort it.
        maxStreamWindowSize: 4 * MiB,
        maxReadBufferLength: 8 * MiB,
        maxWriteBufferLength: 32 * MiB
      }
    })
  ]
  return {
    start: false,
    privateKey: options.privateKey,
    nodeInfo: { userAgent: 'starling' },
    ...(datastore === undefined ? {} : { datastore }),
    // libp2p forgets addresses after an hour: a laptop that slept overnight would know nobody.
    peerStore: { maxAddressAge: 7 * dayMs, maxPeerAge: 30 * dayMs },
    addresses: {
      listen: listen.map(String),
      appendAnnounce: [...announce.map(String), ...publicAddresses(listen)]
    },
    connectionEncrypters: [noise()],
    streamMuxers,
    // A busy or throttled machine answers late. Being slow is not being dead: the deadlines of the
    // protocol decide about rounds, this only clears away connections that nobody closed.
    connectionMonitor: { pingInterval: 15_000, pingTimeout: { minTimeout: 60_000 } }
  }
}

export function commonServices() {
  return {
    identify: identify(),
    identifyPush: identifyPush(),
    // The DHT and the connection monitor ping at the same time; with libp2p's limit of one stream the
    // monitor's ping fails, and it aborts a healthy connection.
    ping: ping({ maxInboundStreams: pingStreamsMax, maxOutboundStreams: pingStreamsMax }),
    proofs: proofs()
  }
}

/**
 * How peers find each other: a DHT of our own, and gossip about who works on what.
 * @param peerInfoMapper - which addresses of peers are passed on; by default, all
 */
export function discovery(
  gossipScore: NetworkOptions['gossipScore'],
  peerInfoMapper = passthroughMapper
) {
  return {
    dht: frugalDht({
      // Never the public IPFS DHT.
      protocol: '/starling/kad/1.0.0',
      // The defaults wait for a verified public address and strip private ones: on a LAN all
      // tables would stay empty.
      clientMode: false,
      peerInfoMapper,
      allowQueryWithZeroPeers: true
    }),
    pubsub: gossipsub({
      globalSignaturePolicy: 'StrictSign',
      floodPublish: false,
      allowPublishToZeroTopicPeers: true,
      // Bounds subscriptions instead of a list of allowed topics: ours is named after the task,
      // which a newcomer does not know yet.
      maxTopicBytesPerPeer: topicBytesPerPeerMax,
      maxInboundDataLength: 64 * 2 ** 10,
      maxOutboundBufferSize: MiB,
      scoreParams: {
        // Peers behind one NAT, on one relay or on one machine share an address and are no Sybils:
        // above ten of them this penalty silently cuts all of them off (measured).
        IPColocationFactorWeight: 0,
        appSpecificScore: gossipScore,
        appSpecificWeight: 1
      }
    })
  }
}

function gaterOf({ admits, rules }: NetworkOptions, hearing: Hearing): ConnectionGater {
  const listen = (_peer: unknown, connection: MultiaddrConnection): false => {
    hearing.listenTo(connection)
    return false
  }
  return {
    // Refuses nobody: it is where libp2p shows each connection before it puts streams on it.
    denyInboundUpgradedConnection: listen,
    denyOutboundUpgradedConnection: listen,
    ...(admits === undefined
      ? {}
      : {
          denyDialPeer: (peer) => !admits(peer.toString(), true),
          denyInboundEncryptedConnection: (peer) => !admits(peer.toString(), false)
        }),
    ...(rules === undefined
      ? {}
      : { denyDialMultiaddr: (address) => rules.complaintOf(address) !== undefined })
  }
}

/**
 * @throws STARLING_PORT_TAKEN when a port cannot be listened on
 * @throws STARLING_BAD_MULTIADDR when this machine does not have an address
 */
export async function startNetwork(node: StarlingNode): Promise<void> {
  try {
    await node.start()
  } catch (failure) {
    await node.stop()
    throw listenError(failure)
  }
}

async function openDatastore(options: CommonOptions): Promise<PeerFiles | undefined> {
  if (options.datastorePath === null) return undefined
  const path = options.datastorePath
  const datastore = new PeerFiles(path, (failure) =>
    options.onTrouble(`cannot remember peers in ${path}: ${reasonOf(failure)}; going on without`)
  )
  try {
    await datastore.open()
  } catch (failure) {
    throw new StarlingError(
      'STARLING_HOME_UNUSABLE',
      `cannot use ${path} to remember peers: ${reasonOf(failure)}`,
      { path }
    )
  }
  return datastore
}

/**
 * Public addresses of this machine's own interfaces, where we listen on all of them: libp2p does not
 * announce a public address until another service has verified it, which a first peer has nobody for.
 */
function publicAddresses(listen: readonly Multiaddr[]): string[] {
  const ours = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return listen.flatMap((address) => {
    const [host, transport] = address.getComponents()
    const any = host?.value === '0.0.0.0' || host?.value === '::'
    if (!any || transport?.name !== 'tcp' || transport.value === '0') return []
    const family = host.name === 'ip4' ? 'IPv4' : 'IPv6'
    return ours
      .filter((own) => own.family === family && !own.internal && isPrivateIp(own.address) === false)
      .filter((own) => !own.address.startsWith('fe80'))
      .map((own) => `/${host.name}/${own.address}/tcp/${transport.value}`)
  })
}

/** libp2p puts the reasons of all its listeners into one long message. */
function listenError(failure: unknown): unknown {
  const text = failure instanceof Error ? failure.message : String(failure)
  const taken = /(EADDRINUSE|EACCES)[^\n]*?(\S+):(\d+)/.exec(text)
  if (taken !== null) {
    const [, code, host, port] = taken
    const why = code === 'EACCES' ? 'may not be used without privileges' : 'is already in use'
    return new StarlingError(
      'STARLING_PORT_TAKEN',
      `port ${port} on ${host} ${why}; choose another one, or 0 for any that is free`,
      { host, port: Number(port) }
    )
  }
  const foreign = /EADDRNOTAVAIL: address not available (\S+)/.exec(text)
  if (foreign !== null) {
    return new StarlingError(
      'STARLING_BAD_MULTIADDR',
      `listen: this machine has no address ${foreign[1]}; use 0.0.0.0 to listen on all that it has`,
      { host: foreign[1] }
    )
  }
  return failure
}
