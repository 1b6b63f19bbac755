import { present } from '../src/core/assert.ts'
import { StarlingError } from '../src/core/errors.ts'
import { Random } from '../src/core/random.ts'
import type { DataDirectories } from '../src/learning/data/spec.ts'
import type { BackendName } from '../src/learning/engine/select.ts'
import type { Task } from '../src/learning/task.ts'
import type { TrainResult, TrainState } from '../src/learning/training.ts'
import { participant, type Participant, type ParticipantOptions } from '../protocols/participant.ts'
import type { Checkpoint, Evaluation } from '../protocols/participant-io.ts'
import { readPeerAddress, type PeerAddress } from './addresses.ts'
import { GossipManners } from './announcements.ts'
import { libp2pBody, type BodyEvent, type Libp2pBody, type Store, type Trainer } from './body.ts'
import { CheckpointStore } from './checkpoint.ts'
import { startControl, type Control } from './control.ts'
import { openHome, sweepHome, type Home } from './home.ts'
import { openIdentity } from './identity.ts'
import { joinLine, type JoinLine } from './join-line.ts'
import { lockHome, type Lock } from './lock.ts'
import { createNetwork, type StarlingNode } from './network.ts'
import { TaskStore } from './tasks.ts'
import type { TrainerDescription } from './trainer-messages.ts'
import { TrainerWorker } from './trainer.ts'

export interface DaemonOptions {
  readonly home: string
  /** Null: get it from the swarm. */
  readonly task: Task | null
  /** With no task at hand: take only the one of this CID. */
  readonly wanted: string | null
  /** Multiaddrs with peer ids of whom to begin with. */
  readonly bootstrap: readonly string[]
  readonly listen: readonly string[]
  readonly announce: readonly string[]
  /** Data SPEC; null for what the task brings itself, or else for a peer that only mixes. */
  readonly data: string | null
  readonly directories: DataDirectories
  readonly backend: 'auto' | BackendName
  /** Port of the control API on 127.0.0.1; 0 for any free one. */
  readonly controlPort: number
  readonly participant: Partial<ParticipantOptions>
  /** Of this package, for status. */
  readonly version: string
  /** Told what went wrong without stopping us: a checkpoint refused, a disk that is full. */
  readonly onTrouble: (what: string) => void
}

/** What `status` tells; the names are a promise to programs. */
export interface Status {
  readonly peerId: string
  readonly version: string
  readonly task: string | null
  readonly state: string
  readonly round: number
  readonly steps: number
  readonly samplesSeen: number
  readonly loss: number | null
  readonly accuracy: number | null
  /** Rounds finished when that accuracy was measured. */
  readonly evaluatedRound: number | null
  readonly peers: {
    readonly known: number
    readonly connected: number
    readonly direct: number
    readonly relayed: number
  }
  readonly reachability: Reachability
  readonly listen: readonly string[]
  readonly join: string | null
  /** Whose models went into the last merge. */
  readonly mergedWith: readonly string[]
  readonly exchanges: {
    readonly ok: number
    readonly failed: number
    readonly rejected: number
    readonly rejectedBy: Readonly<Record<string, number>>
  }
  readonly bytes: { readonly sent: number; readonly received: number }
  /** When the last checkpoint was written, ISO 8601; null before the first of this life. */
  readonly lastCheckpoint: string | null
  /** Round of the checkpoint that this life began from; null when it began anew. */
  readonly resumedRound: number | null
  readonly backend: string | null
  readonly data: string | null
  readonly samples: number
  /** Contained failures of our own code: anything but 0 is worth a report. */
  readonly bugs: number
  readonly uptimeSeconds: number
}

export type Reachability = 'public' | 'punchable' | 'relay-only' | 'isolated' | 'unknown'

/** One node's process: everything of `peer/`, joined. */
export interface Daemon {
  readonly self: string
  readonly home: Home
  readonly control: Control
  status(): Status
  joinLine(): JoinLine | undefined
  onEvent(listener: (event: BodyEvent) => void): () => void
  /** Settles when the daemon has stopped. @throws what made it stop, if it was not asked to */
  readonly done: Promise<void>
  /** Say goodbye, save, stop: within five seconds. */
  stop(): Promise<void>
}

/** Samples of a generated set for one node: too few to learn the task well alone. */
const builtInSamples = 600
/** For the trainer to end before the daemon goes on without it. */
const stopTrainerMsMax = 500

/**
 * Start a daemon.
 * @throws STARLING_HOME_LOCKED, STARLING_HOME_UNUSABLE, STARLING_BAD_IDENTITY, STARLING_PORT_TAKEN,
 *   STARLING_BAD_MULTIADDR
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
  const node = await createNetwork({
    privateKey,
    listen: options.listen,
    announce: options.announce,
    datastorePath: home.peers,
    gossipScore: (peer) => manners.score(peer),
    onTrouble: options.onTrouble
  })
  try {
    return await join(options, home, lock, bootstraps, node, manners)
  } catch (error) {
    await node.stop()
    throw error
  }
}

/** Put a participant on a started node. */
async function join(
  options: DaemonOptions,
  home: Home,
  lock: Lock,
  bootstraps: readonly PeerAddress[],
  node: StarlingNode,
  manners: GossipManners
): Promise<Daemon> {
  const startedMs = performance.now()
  const self = node.peerId.toString()
  const work = new Work(options, home, self, (failure) => void stop(failure))
  const checkpoint = await work.loadCheckpoint(options.task)
  const machine = participant(options.participant)({
    self,
    random: new Random(`daemon/${self}`),
    task: options.task,
    wanted: options.wanted,
    checkpoint
  })
  const body = libp2pBody({ bootstraps })({ node, machine, trainer: work, store: work, manners })
  const status = (): Status => describe(options, machine, body, work, checkpoint, startedMs)
  const control = await startControl(
    home.control,
    {
      status,
      peers: () => ({ peers: machine.snapshot().peers, heard: body.status().heard }),
      stop: () => void stop(),
      subscribe: (listener) => body.onEvent(listener)
    },
    { port: options.controlPort }
  )

  const { promise: done, resolve, reject } = Promise.withResolvers<void>()
  done.catch(() => undefined) // whoever waits is told; nobody has to
  let stopping: Promise<void> | undefined
  const shutDown = async (): Promise<void> => {
    await body.stop()
    await Promise.race([work.stop(), pause(stopTrainerMsMax)])
    await control.stop()
    await lock.release()
  }
  const stop = (failure?: unknown): Promise<void> => {
    stopping ??= shutDown().then(
      () => (failure === undefined ? resolve() : reject(failure as Error)),
      reject
    )
    return stopping
  }

  refuseOtherSwarm(body, machine, bootstraps, (failure) => void stop(failure))
  await body.start()
  return {
    self,
    home,
    control,
    status,
    joinLine: () => joinLine(self, body.status().addresses),
    onEvent: (listener) => body.onEvent(listener),
    done,
    stop: () => stop()
  }
}

/** The long work of a participant: training in its thread, checkpoints and manifests on disk. */
class Work implements Trainer, Store {
  readonly #options: DaemonOptions
  readonly #home: Home
  readonly #self: string
  #trainer: TrainerWorker | undefined
  #checkpoints: CheckpointStore | undefined
  #description: TrainerDescription | undefined
  readonly #onUnfit: (failure: unknown) => void
  #savedAt: Date | undefined
  #data: string | null = null

  /** @param onUnfit - told why our data or machine cannot work on the task */
  constructor(
    options: DaemonOptions,
    home: Home,
    self: string,
    onUnfit: (failure: unknown) => void
  ) {
    this.#options = options
    this.#home = home
    this.#self = self
    this.#onUnfit = onUnfit
  }

  get description(): TrainerDescription | undefined {
    return this.#description
  }

  /** The data SPEC that is trained on. */
  get data(): string | null {
    return this.#data
  }

  get savedAt(): Date | undefined {
    return this.#savedAt
  }

  /** The newest whole checkpoint of the task; what was refused on the way is told. */
  async loadCheckpoint(task: Task | null): Promise<Checkpoint | null> {
    if (task === null) return null
    this.#checkpoints = await CheckpointStore.open(this.#home.checkpoints, task)
    const { checkpoint, troubles } = await this.#checkpoints.load()
    for (const trouble of troubles) {
      const instead =
        checkpoint === null ? 'starting anew' : `going on from round ${checkpoint.round}`
      this.#options.onTrouble(`${trouble}; ${instead}`)
    }
    return checkpoint
  }

  async adopt(task: Task): Promise<number> {
    try {
      await new TaskStore(this.#home.tasks).save(task)
      this.#checkpoints ??= await CheckpointStore.open(this.#home.checkpoints, task)
      const { directories, backend } = this.#options
      this.#data = this.#options.data ?? builtInData(task, this.#self)
      this.#trainer = new TrainerWorker({
        manifest: task.bytes,
        data: this.#data,
        directories,
        backend,
        random: `daemon/${this.#self}/training`
      })
      this.#description = await this.#trainer.start()
      return this.#description.samples
    } catch (error) {
      this.#onUnfit(error)
      throw error
    }
  }

  train(state: TrainState, steps: number): Promise<TrainResult> {
    return present(this.#trainer, 'the trainer').train(state, steps)
  }

  evaluate(parameters: Float32Array): Promise<Evaluation> {
    return present(this.#trainer, 'the trainer').evaluate(parameters)
  }

  async save(checkpoint: Checkpoint): Promise<void> {
    await present(this.#checkpoints, 'the store of checkpoints').save(checkpoint)
    this.#savedAt = new Date()
  }

  async stop(): Promise<void> {
    await this.#trainer?.stop()
  }
}

/**
 * When those whom the user told us to join work on another task, and nobody else is there, going on
 * alone is not what was meant.
 */
function refuseOtherSwarm(
  body: Libp2pBody,
  machine: Participant,
  bootstraps: readonly PeerAddress[],
  fail: (failure: StarlingError) => void
): void {
  body.onEvent((event) => {
    if (event.kind !== 'peer-refused') return
    if (!bootstraps.some(({ peer }) => peer === event.peer)) return
    if (machine.snapshot().peers.some(({ introduced }) => introduced)) return
    fail(
      new StarlingError(
        'STARLING_TASK_MISMATCH',
        `the swarm at ${event.peer} works on task ${event.theirs}; ours is ${event.ours}. ` +
          'Leave out --task to work on theirs, in a home of its own (--home), or join another swarm'
      )
    )
  })
}

function describe(
  options: DaemonOptions,
  machine: Participant,
  body: Libp2pBody,
  work: Work,
  checkpoint: Checkpoint | null,
  startedMs: number
): Status {
  const snapshot = machine.snapshot()
  const network = body.status()
  const line = joinLine(snapshot.self, network.addresses)
  return {
    peerId: snapshot.self,
    version: options.version,
    task: snapshot.task,
    state: snapshot.state,
    round: snapshot.round,
    steps: snapshot.steps,
    samplesSeen: snapshot.age,
    loss: snapshot.loss,
    accuracy: snapshot.evaluation?.accuracy ?? null,
    evaluatedRound: snapshot.evaluation?.round ?? null,
    peers: {
      known: snapshot.known,
      connected: snapshot.peers.filter(({ introduced }) => introduced).length,
      ...network.connections
    },
    reachability: reachabilityOf(line),
    listen: network.addresses,
    join: line?.address ?? null,
    mergedWith: snapshot.mergedWith,
    exchanges: snapshot.exchanges,
    bytes: { sent: network.bytesSent, received: network.bytesReceived },
    lastCheckpoint: work.savedAt?.toISOString() ?? null,
    resumedRound: checkpoint?.round ?? null,
    backend: work.description?.backend ?? null,
    data: work.data,
    samples: snapshot.samples,
    bugs: network.bugs,
    uptimeSeconds: Math.round((performance.now() - startedMs) / 1000)
  }
}

/** What is known without asking anybody else: a public address is one, a loopback address is none. */
function reachabilityOf(line: JoinLine | undefined): Reachability {
  switch (line?.reach) {
    case 'public':
      return 'public'
    case 'lan':
      return 'unknown'
    case 'loopback':
    case undefined:
      return 'isolated'
  }
}

/** A node's own samples of a generated set: as many as a small shard, and other ones for each node. */
function builtInData({ manifest }: Task, self: string): string | null {
  const { builtIn } = manifest.data
  if (builtIn === undefined) return null
  return `${builtIn}?limit=${builtInSamples}&seed=${new Random(self).seed()}`
}

function pause(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  setTimeout(resolve, ms).unref()
  return promise
}
