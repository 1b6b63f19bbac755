import { Random } from '../src/core/random.ts'
import type { Task } from '../src/learning/task.ts'
import { participant } from '../protocols/participant.ts'
import type { ParticipantOptions } from '../protocols/participant-io.ts'
import type { Signer } from '../protocols/records/record.ts'
import { openAccess, type Access, type AccessOptions } from './access/access.ts'
import { DialRules, ownSubnets } from './network/hygiene.ts'
import { readAddress, readPeerAddress, type PeerAddress } from './network/addresses.ts'
import { GossipManners } from './discovery/announcements.ts'
import { ed25519Signer } from './discovery/signer.ts'
import { libp2pBody, type BodyEvent } from './body.ts'
import { startControl, type Control } from './control.ts'
import { openHome, sweepHome, type Home } from './home.ts'
import { openIdentity } from './identity.ts'
import type { JoinLine } from './network/join-line.ts'
import { lockHome, type Lock } from './lock.ts'
import { loadWebRtc, type WebRtcLibrary } from './nat/webrtc-library.ts'
import { createNetwork, type StarlingNode } from './network/network.ts'
import { Recent } from './recent.ts'
import { isOnLan } from './discovery/lan.ts'
import { endWhenRefused } from './refusals.ts'
import { describe, type Status } from './status.ts'
import { Work, type WorkOptions } from './work.ts'

export interface DaemonOptions extends WorkOptions {
  readonly home: string
  /** Null: get it from the swarm. */
  readonly task: Task | null
  /** With no task at hand: take only the one of this CID. */
  readonly wanted: string | null
  /** Multiaddrs with peer ids of whom to begin with. */
  readonly bootstrap: readonly string[]
  /** Be connected to those alone, and look for nobody else: no DHT, no gossip. */
  readonly onlyBootstrap: boolean
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  /** Asks the router to forward our port. */
  readonly upnp: boolean
  /** Punch by WebRTC where TCP does not get through, if it is installed. */
  readonly webrtc: boolean
  /** Find peers on the local network, if there is one. */
  readonly lan: boolean
  /** Who may take part. */
  readonly access: AccessOptions
  /** Port of the control API on 127.0.0.1; 0 for any free one. */
  readonly controlPort: number
  readonly participant: Partial<ParticipantOptions>
  /** Of this package, for status. */
  readonly version: string
  /** Told everything that happens, from the start on. */
  readonly onEvent: (event: BodyEvent) => void
}

/** One node's process: everything of `peer/`, joined. */
export interface Daemon {
  readonly self: string
  readonly home: Home
  readonly control: Control
  status(): Status
  joinLine(): JoinLine | undefined
  /** Settles when the daemon has stopped. @throws what made it stop, if it was not asked to */
  readonly done: Promise<void>
  /** Say goodbye, save, stop: within five seconds. */
  stop(): Promise<void>
}

/** For the trainer to end before the daemon goes on without it. */
const stopTrainerMsMax = 500

/**
 * Start a daemon. With a task, it is ready to train when this settles; without, it asks the swarm.
 * @throws STARLING_HOME_LOCKED, STARLING_HOME_UNUSABLE, STARLING_BAD_IDENTITY, STARLING_PORT_TAKEN,
 *   STARLING_BAD_MULTIADDR; as loading data and engine do; STARLING_TASK_MISMATCH
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
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
  options: DaemonOptions,
  home: Home,
  lock: Lock,
  bootstraps: readonly PeerAddress[]
): Promise<Daemon> {
  await sweepHome(home)
  const privateKey = await openIdentity(home)
  const manners = new GossipManners(() => performance.now())
  const access = await openAccess(options.access, {
    home,
    key: privateKey,
    task: options.task?.cid ?? options.wanted,
    helpers: bootstraps.map(({ peer }) => peer),
    onTrouble: (what) => options.onEvent({ kind: 'trouble', what })
  })
  const { gate, swarmKey } = access
  const isOpen = gate.mode === 'open' && swarmKey === undefined
  const webrtc = options.webrtc ? await openWebRtc(isOpen, options.onEvent) : undefined
  const listen = options.listen.map((address) => readAddress(address, 'listen'))
  const rules = new DialRules(
    bootstraps.map(({ address }) => address),
    () => ownSubnets(listen)
  )
  const node = await createNetwork({
    privateKey,
    rules,
    lan: options.lan && !options.onlyBootstrap && isOnLan(options.listen),
    discovers: !options.onlyBootstrap,
    isPrivate: gate.mode !== 'open',
    admits: (peer, isDialed) => {
      if (options.onlyBootstrap && !gate.isHelper(peer)) return false
      return isDialed ? gate.mayDial(peer, Date.now()) : gate.mayConnect(peer)
    },
    ...(swarmKey === undefined ? {} : { swarmKey }),
    ...(webrtc === undefined ? {} : { webrtc }),
    listen: options.listen,
    announce: options.announce,
    datastorePath: home.peers,
    gossipScore: (peer) => manners.score(peer),
    onTrouble: (what) => options.onEvent({ kind: 'trouble', what }),
    trusted: bootstraps.map(({ peer }) => peer),
    upnp: options.upnp
  })
  const signer = ed25519Signer(privateKey)
  try {
    return await join(options, home, lock, bootstraps, { node, manners, rules, access, signer })
  } catch (error) {
    await node.stop()
    throw error
  }
}

/** Where it cannot be, nothing else is worse: the user is told, and the daemon goes on without. */
async function openWebRtc(
  isOpen: boolean,
  onEvent: DaemonOptions['onEvent']
): Promise<WebRtcLibrary | undefined> {
  const loaded = isOpen
    ? await loadWebRtc()
    : { kind: 'closed', what: 'a swarm key does not protect it, and so no private swarm has it' }
  if ('library' in loaded) return loaded.library
  const remedy = loaded.kind === 'absent' ? ': npm install @libp2p/webrtc' : ''
  onEvent({ kind: 'trouble', what: `going on without WebRTC: ${loaded.what}${remedy}` })
  return undefined
}

/** What is there before anybody lives on it. */
interface Net {
  readonly node: StarlingNode
  readonly manners: GossipManners
  readonly rules: DialRules
  readonly access: Access
  readonly signer: Signer
}

/** Put a participant on a started node. */
async function join(
  options: DaemonOptions,
  home: Home,
  lock: Lock,
  bootstraps: readonly PeerAddress[],
  { node, manners, rules, access, signer }: Net
): Promise<Daemon> {
  const startedMs = performance.now()
  const self = node.peerId.toString()
  const work = new Work(options, home, self, options.onEvent, (failure) => void stop(failure))
  const checkpoint = await work.loadCheckpoint(options.task)
  const machine = participant({
    ...options.participant,
    version: options.version,
    ...(options.onlyBootstrap ? { degree: 0 } : {})
  })({
    self,
    random: new Random(`daemon/${self}`),
    signer,
    task: options.task,
    wanted: options.wanted,
    checkpoint
  })
  const { gate } = access
  const body = libp2pBody({ bootstraps, remembers: !options.onlyBootstrap })({
    ...{ node, machine, manners, rules, gate },
    trainer: work,
    store: work
  })
  const status = (): Status => ({
    ...describe(machine, body, work),
    version: options.version,
    access: gate.mode,
    resumedRound: checkpoint?.round ?? null,
    uptimeSeconds: Math.round((performance.now() - startedMs) / 1000)
  })
  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  done.catch(() => undefined) // whoever waits is told; nobody has to
  const unwatch = access.watch(() => body.reviewAccess())
  const closing = [
    () => Promise.resolve(unwatch()),
    () => body.stop(),
    () => Promise.race([work.stop(), pause(stopTrainerMsMax)])
  ]
  let stopping: Promise<void> | undefined
  const shutDown = async (): Promise<void> => {
    for (const close of closing) await close()
    await lock.release()
  }
  const stop = (failure?: unknown): Promise<void> => {
    stopping ??= shutDown().then(
      () => (failure === undefined ? resolve() : reject(failure as Error)),
      reject
    )
    return stopping
  }

  const recent = new Recent<BodyEvent>()
  body.onEvent(options.onEvent)
  body.onEvent((event) => recent.add(event))
  body.onEvent((event) => {
    if (event.kind === 'task-adopted') gate.task = event.task
  })
  const hasPeers = (): boolean => machine.snapshot().peers.some(({ introduced }) => introduced)
  body.onEvent(endWhenRefused(bootstraps, hasPeers, (failure) => void stop(failure)))
  await body.start()
  let control: Control
  try {
    // With a task at hand, data that does not fit it is found out before anybody is told 'ready'.
    if (options.task !== null) await Promise.race([work.adopted, done])
    control = await startControl(
      home.control,
      {
        status,
        peers: () => {
          const { connections, heard } = body.status()
          const { peers, swarm, helpers } = machine.snapshot()
          return { peers, connections, swarm, helpers, heard }
        },
        log: () => ({ events: recent.all }),
        ping: (target) => body.ping(target),
        addBootstrap(address) {
          const bootstrap = readPeerAddress(address, 'bootstrap')
          gate.addHelper(bootstrap.peer)
          body.addBootstrap(bootstrap)
          return { added: address }
        },
        removeBootstrap(address) {
          body.removeBootstrap(readPeerAddress(address, 'bootstrap'))
          return { removed: address }
        },
        stop: () => void stop(),
        subscribe: (listener) => body.onEvent(listener)
      },
      { port: options.controlPort }
    )
  } catch (error) {
    await stop(error).catch(() => undefined) // what was wrong first is what is told
    throw error
  }
  closing.push(() => control.stop())
  return {
    self,
    home,
    control,
    status,
    joinLine: () => body.reach().line,
    done,
    stop: () => stop()
  }
}

function pause(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  setTimeout(resolve, ms).unref()
  return promise
}
