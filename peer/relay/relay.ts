import type { Libp2pEvents, PrivateKey } from '@libp2p/interface'
import { passthroughMapper, removePrivateAddressesMapper } from '@libp2p/kad-dht'
import { preSharedKey } from '@libp2p/pnet'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { Random } from '../../src/core/random.ts'
import { rendezvous, type Rendezvous } from '../../protocols/rendezvous.ts'
import { libp2pBody, type BodyEvent, type Libp2pBody } from '../body.ts'
import type { Store, Trainer } from '../chores.ts'
import { startControl, type Control } from '../control.ts'
import { GossipManners } from '../discovery/announcements.ts'
import { ed25519Signer } from '../discovery/signer.ts'
import { Guard } from '../guarded.ts'
import { openHome, sweepHome, type Home } from '../home.ts'
import { openIdentity } from '../identity.ts'
import { lockHome, type Lock } from '../lock.ts'
import { reachOf, readPeerAddress, type PeerAddress } from '../network/addresses.ts'
import { commonServices, commonSettings, discovery, type StarlingNode } from '../network/network.ts'
import { Recent } from '../recent.ts'
import { reasonOf } from '../reason.ts'
import { autonatServer } from './autonat-server.ts'
import { Budget } from './budget.ts'
import { Circuits, type CircuitEvent } from './circuits.ts'
import { doorman } from './doorman.ts'
import { Gate } from './gate.ts'
import type { RelayLimits } from './limits.ts'
import { Tally, type Refusal } from './refusals.ts'
import { describeRelay, peersOf, type RelayStatus } from './status.ts'
import { startStun, type StunServer } from './stun.ts'

export interface RelayOptions {
  readonly home: string
  /** Multiaddrs. */
  readonly listen: readonly string[]
  /** Multiaddrs that others should use to reach us, besides those found here. */
  readonly announce: readonly string[]
  /** Multiaddrs with peer ids of other helpers: what one knows of who works on what, all come to know. */
  readonly bootstrap: readonly string[]
  /** Content of a swarm key's file, for a helper of a private swarm; null for everybody's. */
  readonly swarmKey: Uint8Array | null
  /** UDP port of the STUN responder; null for none. */
  readonly stunPort: number | null
  /** Port of the control API on 127.0.0.1; 0 for any free one. */
  readonly controlPort: number
  readonly limits: RelayLimits
  /** Of this package, for status. */
  readonly version: string
  readonly onEvent: (event: RelayEvent) => void
}

export type RelayEvent =
  | BodyEvent
  | CircuitEvent
  /** How many were refused for one reason since the last time this was said. */
  | { readonly kind: 'refused'; readonly why: Refusal; readonly count: number }

/** A helper: peers begin with it, are seen and reached through it. It trains nothing. */
export interface Relay {
  readonly self: string
  readonly home: Home
  readonly control: Control
  status(): RelayStatus
  /** Settles when the relay has stopped. */
  readonly done: Promise<void>
  /** Within five seconds. */
  stop(): Promise<void>
}

const MiB = 2 ** 20
/** For a handshake; then a silent socket is closed. */
const handshakeMsMax = 5_000
/** Connections that we make ourselves: of the DHT, and dialing back for those who ask. */
const ownConnectionsMax = 64
/** How often memory is looked at, in milliseconds. */
const memoryMs = 1_000
/** How often refusals are told of, in milliseconds: a flood must not fill the log. */
const tellMs = 60_000
const stopMsMax = 4_500

/**
 * Start a relay. It is ready when this settles.
 * @throws STARLING_HOME_LOCKED, STARLING_HOME_UNUSABLE, STARLING_BAD_IDENTITY, STARLING_PORT_TAKEN,
 *   STARLING_BAD_MULTIADDR
 */
export async function startRelay(options: RelayOptions): Promise<Relay> {
  const bootstraps = options.bootstrap.map((address) => readPeerAddress(address, 'join'))
  const home = await openHome(options.home)
  const lock = await lockHome(home.path)
  try {
    return await start(options, home, lock, bootstraps)
  } catch (error) {
    await lock.release()
    throw error
  }
}

async function start(
  options: RelayOptions,
  home: Home,
  lock: Lock,
  bootstraps: readonly PeerAddress[]
): Promise<Relay> {
  await sweepHome(home)
  const recent = new Recent<RelayEvent>()
  const listeners = new Set([options.onEvent, (event: RelayEvent) => recent.add(event)])
  const tell = (event: RelayEvent): void => {
    for (const listener of listeners) listener(event)
  }
  const guard = new Guard((where, error) => tell({ kind: 'bug', where, reason: reasonOf(error) }))
  const nowMs = (): number => performance.now()
  const startedMs = nowMs()
  const memory = new Memory(guard)
  const refused = new Tally<Refusal>()
  const gate = new Gate(options.limits)
  const budget = new Budget(options.limits, startedMs)
  const shared = { guard, refused, nowMs, memoryBytes: () => memory.bytes }
  const { node, machine, body } = await inhabit(options, home, bootstraps, tell, {
    ...shared,
    gate
  })
  const circuits = new Circuits({ ...shared, node, budget, limits: options.limits, onEvent: tell })

  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  done.catch(() => undefined) // whoever waits is told; nobody has to
  const closing: (() => unknown)[] = [() => memory.stop()]
  let stopping: Promise<void> | undefined
  const shutDown = async (): Promise<void> => {
    const all = async (): Promise<void> => {
      for (const close of closing.reverse()) await close()
    }
    await Promise.race([all(), pause(stopMsMax)])
    await lock.release()
  }
  const stop = (): Promise<void> => (stopping ??= shutDown().then(resolve, reject))

  try {
    const onClose = ({ detail }: Libp2pEvents['connection:close']): void => {
      if (node.getConnections(detail.remotePeer).length > 0) return
      circuits.peerDown(detail.remotePeer.toString())
    }
    guard.listen(node, 'connection:close', onClose)
    body.onEvent(tell)
    closing.push(() => body.stop())
    await circuits.start() // whoever dials us finds it
    closing.push(() => circuits.stop())
    await body.start()
    const stun = await openStun(options, shared)
    if (stun !== undefined) closing.push(() => stun.stop())
    closing.push(tellOfRefusals(refused, guard, tell))

    const status = (): RelayStatus => ({
      ...describeRelay({ node, machine, body, gate, circuits, budget, refused, stun, ...options }),
      memory: { bytes: memory.bytes, max: options.limits.memoryBytes },
      bugs: guard.bugs + body.status().bugs,
      uptimeSeconds: Math.round((nowMs() - startedMs) / 1_000)
    })
    const control = await startControl(
      home.control,
      {
        status,
        peers: () => ({ role: 'relay', peers: peersOf(node, circuits) }),
        log: () => ({ events: recent.all }),
        ping: (target) => body.ping(target),
        addBootstrap(address) {
          body.addBootstrap(readPeerAddress(address, 'bootstrap'))
          return { added: address }
        },
        removeBootstrap(address) {
          body.removeBootstrap(readPeerAddress(address, 'bootstrap'))
          return { removed: address }
        },
        stop: () => void stop(),
        subscribe: (listener) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        }
      },
      { port: options.controlPort }
    )
    closing.push(() => control.stop())
    return {
      self: body.self,
      home,
      control,
      status,
      done,
      stop
    }
  } catch (error) {
    await stop()
    throw error
  }
}

type DoormanShare = Omit<Parameters<typeof doorman>[0], 'isPublic'>

/** A node, not started, and who lives there: a rendezvous, which knows who works on what. */
async function inhabit(
  options: RelayOptions,
  home: Home,
  bootstraps: readonly PeerAddress[],
  tell: (event: RelayEvent) => void,
  door: DoormanShare
): Promise<{ node: StarlingNode; machine: Rendezvous; body: Libp2pBody }> {
  const privateKey = await openIdentity(home)
  const manners = new GossipManners(door.nowMs)
  const node = await createNode(options, privateKey, home, manners, tell, door)
  const self = node.peerId.toString()
  const machine = rendezvous({ version: options.version })({
    self,
    random: new Random(`relay/${self}`),
    signer: ed25519Signer(privateKey)
  })
  const body = libp2pBody({ bootstraps })({
    node,
    machine,
    trainer: noTrainer,
    store: noStore,
    manners
  })
  return { node, machine, body }
}

const nothing = (): Promise<never> => Promise.reject(new Error('a relay trains nothing'))
const noTrainer: Trainer = { adopt: nothing, train: nothing, merge: nothing, evaluate: nothing }
const noStore: Store = { save: nothing }

async function createNode(
  options: RelayOptions,
  privateKey: PrivateKey,
  home: Home,
  manners: GossipManners,
  tell: (event: RelayEvent) => void,
  door: DoormanShare
): Promise<StarlingNode> {
  const settings = await commonSettings({
    privateKey,
    listen: options.listen,
    announce: options.announce,
    datastorePath: home.peers,
    onTrouble: (what) => tell({ kind: 'trouble', what })
  })
  const isPublic = settings.addresses.appendAnnounce.some(
    (address) => reachOf(multiaddr(address)) === 'public'
  )
  return createLibp2p({
    ...settings,
    transports: [tcp(), webSockets()],
    streamMuxers: [
      yamux({
        streamOptions: {
          // A stream that is held back keeps up to one window here: less than members allow
          // themselves, as there may be hundreds. 10 MB a second over 100 ms.
          maxStreamWindowSize: MiB,
          maxReadBufferLength: 2 * MiB,
          maxWriteBufferLength: 4 * MiB
        }
      })
    ],
    ...(options.swarmKey === null
      ? {}
      : { connectionProtector: preSharedKey({ psk: options.swarmKey }) }),
    connectionGater: doorman({ ...door, isPublic }),
    connectionManager: {
      maxConnections: options.limits.connections + ownConnectionsMax,
      // The doorman counts by host and by subnet, and says why it refuses.
      inboundConnectionThreshold: Infinity,
      maxIncomingPendingConnections: Infinity,
      inboundUpgradeTimeout: handshakeMsMax
    },
    services: {
      ...commonServices(),
      // What members behind a router call themselves at home is no use to the world.
      ...discovery(
        (peer) => manners.score(peer),
        isPublic ? removePrivateAddressesMapper : passthroughMapper
      ),
      autonat: autonatServer()
    }
  })
}

/** On the same addresses as TCP. */
function openStun(
  { stunPort, listen }: RelayOptions,
  { guard, nowMs }: Pick<DoormanShare, 'guard' | 'nowMs'>
): Promise<StunServer> | undefined {
  if (stunPort === null) return undefined
  const hosts = listen.flatMap((address) => multiaddr(address).getComponents()[0]?.value ?? [])
  return startStun({ hosts: [...new Set(hosts)], port: stunPort, guard, nowMs })
}

/** @returns stops telling */
function tellOfRefusals(
  refused: Tally<Refusal>,
  guard: Guard,
  tell: (event: RelayEvent) => void
): () => void {
  let told: Readonly<Partial<Record<Refusal, number>>> = {}
  const timer = setInterval(
    guard.wrap('telling of refusals', () => {
      const { counts } = refused
      for (const [why, count] of Object.entries(counts) as [Refusal, number][]) {
        const more = count - (told[why] ?? 0)
        if (more > 0) tell({ kind: 'refused', why, count: more })
      }
      told = counts
    }),
    tellMs
  )
  return () => clearInterval(timer)
}

/** Resident memory, looked at now and then: asking the system costs more than a connection. */
class Memory {
  bytes = process.memoryUsage.rss()
  readonly #timer: NodeJS.Timeout

  constructor(guard: Guard) {
    const look = (): void => {
      this.bytes = process.memoryUsage.rss()
    }
    this.#timer = setInterval(guard.wrap('looking at memory', look), memoryMs).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}

function pause(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  setTimeout(resolve, ms).unref()
  return promise
}
