import type { Connection, IdentifyResult, Libp2pEvents, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { Driver } from '../src/core/driver.ts'
import type { Body, Machine } from '../src/core/machine.ts'
import { frameStreamsMax } from '../src/core/limits.ts'
import type { Layout } from '../src/learning/layout.ts'
import type { MergeJob, MergeResult } from '../src/learning/merge/merge.ts'
import type { Task } from '../src/learning/task.ts'
import type { TrainResult, TrainState } from '../src/learning/training.ts'
import type { Contact, Message, PeerId } from '../protocols/messages.ts'
import type {
  Checkpoint,
  Evaluation,
  ParticipantEffect,
  ParticipantEvent,
  ParticipantInput,
  Timer
} from '../protocols/participant-io.ts'
import { dialable, tellable, type PeerAddress } from './network/addresses.ts'
import {
  Announcer,
  type Announcement,
  type GossipManners,
  type Heard
} from './discovery/announcements.ts'
import { bootstrapDefaults, Bootstraps, type BootstrapEvent } from './discovery/bootstrap.ts'
import type { BootstrapOptions } from './discovery/bootstrap.ts'
import { Admission, type AccessEvent } from './access/admission.ts'
import { openGate, type Gate } from './access/gate.ts'
import { LanContacts } from './discovery/lan.ts'
import { Guard } from './guarded.ts'
import { keepAddressBook } from './network/address-book.ts'
import type { DialRules } from './network/hygiene.ts'
import { Inbox } from './inbox.ts'
import { startNetwork, type StarlingNode } from './network/network.ts'
import { ping, type Pong } from './network/ping.ts'
import { Outbox, outboxDefaults, type OutboxOptions } from './outbox.ts'
import { paceDefaults, type Pace } from './pace.ts'
import { Providers, providersDefaults, type ProvidersOptions } from './discovery/providers.ts'
import { reasonOf } from './reason.ts'

/** The libp2p protocol that carries our frames. The number rises when old peers cannot read them. */
export const framesProtocol = '/starling/2/frames'

/** Does the work of training elsewhere: a blocked event loop looks like a dead peer. */
export interface Trainer {
  /** @returns how many samples there are to train on */
  adopt(task: Task): Promise<number>
  train(state: TrainState, steps: number): Promise<TrainResult>
  merge(job: MergeJob): Promise<MergeResult>
  evaluate(parameters: Float32Array): Promise<Evaluation>
}

export interface Store {
  save(checkpoint: Checkpoint): Promise<void>
}

export interface BodyComponents {
  /** Not started: the body starts and stops it. */
  readonly node: StarlingNode
  readonly machine: Machine<ParticipantInput, ParticipantEffect>
  readonly trainer: Trainer
  readonly store: Store
  /** The same whose score the network was created with. */
  readonly manners: GossipManners
  /** Who takes part; everybody without. */
  readonly gate?: Gate
  /** The same that the network was created with. */
  readonly rules?: DialRules
}

export interface BodyOptions {
  readonly bootstraps: readonly PeerAddress[]
  readonly bootstrap: BootstrapOptions
  readonly providers: ProvidersOptions
  readonly outbox: OutboxOptions
  readonly pace: Pace
  /** Longest time for a dial or for opening a stream, in milliseconds. */
  readonly dialDeadlineMs: number
  /** Longest time for a goodbye and the last checkpoint to get through, in milliseconds. */
  readonly leaveMsMax: number
  /** Longest time that stopping takes altogether, whatever hangs, in milliseconds. */
  readonly stopMsMax: number
}

export const bodyDefaults: BodyOptions = {
  bootstraps: [],
  bootstrap: bootstrapDefaults,
  providers: providersDefaults,
  outbox: outboxDefaults,
  pace: paceDefaults,
  dialDeadlineMs: 10_000,
  leaveMsMax: 2_000,
  stopMsMax: 4_500
}

/** What the network itself has to tell, besides what the participant emits. */
export type NetworkEvent =
  | BootstrapEvent
  | AccessEvent
  | { readonly kind: 'listening'; readonly addresses: readonly string[] }
  /** A frame was given up on the way out. */
  | {
      readonly kind: 'send-failed'
      readonly peer: PeerId
      readonly what: string
      readonly reason: string
    }
  /** A peer sent too slowly or reads too little, and was cut off. */
  | { readonly kind: 'peer-slow'; readonly peer: PeerId }
  /** A failure of our own code that was contained. */
  | { readonly kind: 'bug'; readonly where: string; readonly reason: string }

export type BodyEvent = ParticipantEvent | NetworkEvent

export interface NetworkStatus {
  readonly addresses: readonly string[]
  readonly bytesSent: number
  readonly bytesReceived: number
  readonly connections: { readonly direct: number; readonly relayed: number }
  /** Frames that ended before they were complete: peers that vanished, mostly. */
  readonly framesTruncated: number
  readonly framesLost: number
  /** Contained failures of our own code; anything but 0 is worth a report. */
  readonly bugs: number
  /** What other peers last announced. */
  readonly heard: readonly Heard[]
}

/** Node's longest timer. */
const timerMsMax = 2 ** 31 - 1

/** Where a participant lives on the real network. */
export class Libp2pBody implements Body<ParticipantEffect> {
  readonly #parts: BodyComponents
  readonly #options: BodyOptions
  readonly #guard: Guard
  readonly #driver: Driver<ParticipantInput, ParticipantEffect>
  readonly #announcer: Announcer | undefined
  readonly #providers: Providers
  readonly #bootstraps: Bootstraps
  readonly #admission: Admission
  readonly #listeners = new Set<(event: BodyEvent) => void>()
  readonly #up = new Set<PeerId>()
  readonly #inboxes = new Map<PeerId, Inbox>()
  readonly #outboxes = new Map<PeerId, Outbox>()
  readonly #timers = new Map<Timer, NodeJS.Timeout>()
  readonly #saves = new Set<Promise<void>>()
  readonly #stopListening: (() => void)[] = []
  readonly #counters = { bytesSent: 0, bytesReceived: 0, framesTruncated: 0, framesLost: 0 }
  #layout: Layout | null = null
  #progress: Omit<Announcement, 'addresses'> | undefined
  /** What happened while the network was starting; undefined from the machine's start on. */
  #early: ParticipantInput[] | undefined = []
  #stopping: Promise<void> | undefined
  /** The goodbye is said and the last checkpoint written: nothing is performed any more. */
  #over = false

  constructor(parts: BodyComponents, options: BodyOptions) {
    this.#parts = parts
    this.#options = options
    this.#guard = new Guard((where, error) =>
      this.#tell({ kind: 'bug', where, reason: reasonOf(error) })
    )
    this.#driver = new Driver(parts.machine, this)
    const { node, manners } = parts
    const shared = { self: this.self, guard: this.#guard, nowMs: () => this.nowMs() }
    const { pubsub } = node.services
    const onContact = (contact: Contact) =>
      this.#deliver({ kind: 'discovered', contacts: [contact] })
    this.#announcer = pubsub && new Announcer({ ...shared, manners, pubsub, onContact })
    this.#providers = new Providers(
      {
        ...shared,
        routing: node.contentRouting,
        onContacts: (contacts) => this.#deliver({ kind: 'discovered', contacts })
      },
      options.providers
    )
    this.#admission = new Admission({
      node,
      gate: parts.gate ?? openGate(this.self),
      guard: this.#guard,
      onAdmitted: (peer) => {
        if (this.#connectionsTo(peer).length > 0) this.#peerUp(peer)
      },
      onRefused: (peer) => this.#deliver({ kind: 'unreachable', peer }),
      onEvent: (event) => this.#tell(event)
    })
    this.#bootstraps = new Bootstraps(
      options.bootstraps.filter(({ peer }) => peer !== this.self),
      {
        ...shared,
        dial: async ({ address }) => {
          await node.dial(address, { signal: AbortSignal.timeout(options.dialDeadlineMs) })
        },
        isConnected: (peer) => this.#up.has(peer),
        onEvent: (event) => this.#tell(event)
      },
      options.bootstrap
    )
  }

  get self(): PeerId {
    return this.#parts.node.peerId.toString()
  }

  /** Be told everything that happens. @returns stops telling */
  onEvent(listener: (event: BodyEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Start the network and let the participant live.
   * @throws STARLING_PORT_TAKEN, STARLING_BAD_MULTIADDR as startNetwork does
   */
  async start(): Promise<void> {
    const { node } = this.#parts
    const onIdentify = ({ detail }: Libp2pEvents['peer:identify']) => this.#identified(detail)
    const onClose = ({ detail }: Libp2pEvents['connection:close']) =>
      this.#closed(detail.remotePeer.toString())
    this.#stopListening.push(
      this.#guard.listen(node, 'peer:identify', onIdentify),
      this.#guard.listen(node, 'connection:close', onClose),
      this.#guard.listen(node, 'self:peer:update', () => this.#tellAddresses()),
      keepAddressBook(node, this.#guard, this.#parts.rules),
      ...this.#lookAround()
    )
    await this.#admission.start()
    await node.handle(framesProtocol, this.#guard.wrap('a new stream', this.#receive.bind(this)), {
      maxInboundStreams: frameStreamsMax
    })
    await startNetwork(node)
    this.#begin()
    this.#tellAddresses()
    this.#bootstraps.start()
  }

  /** Say goodbye, save and stop the network, in at most stopMsMax. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  /** End at once, as a crash does: nothing is said, nothing is saved, connections break. */
  kill(): Promise<void> {
    this.#stopping ??= this.#kill()
    return this.#stopping
  }

  /** Begin with this one, too. */
  addBootstrap(bootstrap: PeerAddress): void {
    this.#parts.rules?.trust(bootstrap.address)
    if (bootstrap.peer !== this.self) this.#bootstraps.add(bootstrap)
  }

  removeBootstrap(bootstrap: PeerAddress): void {
    this.#bootstraps.remove(bootstrap)
  }

  /**
   * Ask a peer to answer, over a connection that is there or a new one.
   * @param target - a peer id or a multiaddr
   * @throws STARLING_UNREACHABLE when nobody answers in time, STARLING_BAD_ARGUMENT
   */
  ping(target: string): Promise<Pong> {
    return ping(this.#parts.node, target, this.#options.dialDeadlineMs)
  }

  /** Part from those who may not be connected any more: whom the gate lets in has changed. */
  reviewAccess(): void {
    this.#admission.review()
  }

  status(): NetworkStatus {
    const connections = this.#parts.node.getConnections()
    const direct = connections.filter((connection) => connection.direct).length
    return {
      addresses: this.#addresses(),
      ...this.#counters,
      connections: { direct, relayed: connections.length - direct },
      bugs: this.#guard.bugs,
      heard: this.#announcer?.heard ?? []
    }
  }

  nowMs(): number {
    return performance.now()
  }

  perform(effect: ParticipantEffect): void {
    if (this.#over) return
    const { trainer, store } = this.#parts
    switch (effect.kind) {
      case 'send':
        this.#guard.run('sending', () => this.#send(effect.to, effect.message))
        break
      case 'connect':
        this.#guard.run('dialing', () => this.#connect(effect.contact))
        break
      case 'disconnect':
        this.#guard.run('disconnecting', () => this.#disconnect(effect.peer))
        break
      case 'wake':
        this.#wake(effect.timer, effect.afterMs)
        break
      case 'adopt':
        this.#adopt(effect.task)
        break
      case 'train':
        void this.#ask(
          () => trainer.train(effect.state, effect.steps),
          (result) => {
            if (this.#progress !== undefined) this.#progress.steps = result.steps
            return { kind: 'trained', result }
          },
          (reason) => ({ kind: 'trainFailed', reason })
        )
        break
      case 'merge':
        void this.#ask(
          () => trainer.merge(effect.job),
          (result) => ({ kind: 'merged', result }),
          (reason) => ({ kind: 'mergeFailed', reason: `cannot merge: ${reason}` })
        )
        break
      case 'evaluate':
        void this.#ask(
          () => trainer.evaluate(effect.parameters),
          (evaluation) => ({ kind: 'evaluated', round: effect.round, evaluation }),
          (reason) => {
            this.#tell({ kind: 'trouble', what: `cannot evaluate: ${reason}` })
            return undefined
          }
        )
        break
      case 'save': {
        const { round } = effect.checkpoint
        const save = this.#ask(
          () => store.save(effect.checkpoint),
          () => ({ kind: 'saved', round }),
          (reason) => ({ kind: 'saveFailed', reason })
        )
        this.#saves.add(save)
        this.#guard.run('saving', () => save.finally(() => this.#saves.delete(save)))
        break
      }
      case 'emit':
        this.#announce(effect.event)
        this.#tell(effect.event)
        break
    }
  }

  /** Meet whoever is on the local network. */
  #lookAround(): (() => void)[] {
    const { lan } = this.#parts.node.services
    if (lan === undefined) return []
    const contacts = new LanContacts(this.self, () => this.nowMs())
    const stop = lan.listen(this.#guard, (found) => {
      const contact = contacts.contactOf(found)
      if (contact !== undefined) this.#deliver({ kind: 'discovered', contacts: [contact] })
    })
    return [stop]
  }

  // --- peers ------------------------------------------------------------------------------------

  /** Who is connected is a peer when it speaks our frames: a helper does not. */
  #identified({ connection, protocols }: IdentifyResult): void {
    if (connection.status !== 'open' || !carriesModels(connection)) return
    if (protocols.includes(framesProtocol)) this.#admission.meet(connection)
  }

  #closed(peer: PeerId): void {
    if (this.#connectionsTo(peer).length === 0) this.#peerDown(peer)
  }

  #peerUp(peer: PeerId): void {
    if (this.#up.has(peer) || this.#stopping !== undefined) return
    this.#up.add(peer)
    this.#deliver({ kind: 'peerUp', peer })
  }

  #peerDown(peer: PeerId): void {
    // libp2p also tells of the end of connections that closed while they opened.
    if (!this.#up.delete(peer)) return
    this.#inboxes.get(peer)?.abort('the peer is gone')
    this.#inboxes.delete(peer)
    this.#outboxes.get(peer)?.abort('the peer is gone')
    this.#outboxes.delete(peer)
    this.#bootstraps.peerDown(peer)
    this.#deliver({ kind: 'peerDown', peer })
  }

  /** Those over which frames may travel. */
  #connectionsTo(peer: PeerId): Connection[] {
    return this.#parts.node
      .getConnections(peerIdFromString(peer))
      .filter((connection) => connection.status === 'open' && carriesModels(connection))
  }

  async #connect({ peer, addresses }: Contact): Promise<void> {
    if (peer === this.self || this.#up.has(peer)) return
    const { node } = this.#parts
    const targets = dialable(peer, addresses)
    try {
      // Without an address libp2p looks into its peer store and asks the DHT.
      const target = targets.length > 0 ? targets : peerIdFromString(peer)
      await node.dial(target, { signal: AbortSignal.timeout(this.#options.dialDeadlineMs) })
    } catch {
      this.#deliver({ kind: 'unreachable', peer })
    }
  }

  async #disconnect(peer: PeerId): Promise<void> {
    if (!this.#up.has(peer)) return
    // What was said last (goodbye, not now) should arrive, but nobody is waited for.
    await within(closeMsMax, this.#outboxes.get(peer)?.finish())
    const id = peerIdFromString(peer)
    await this.#parts.node
      .hangUp(id, { signal: AbortSignal.timeout(closeMsMax) })
      .catch(() => undefined)
    for (const connection of this.#parts.node.getConnections(id)) {
      connection.abort(new Error('closing took too long'))
    }
  }

  // --- frames -----------------------------------------------------------------------------------

  #receive(stream: Stream, connection: Connection): void {
    const peer = connection.remotePeer.toString()
    // Streams are negotiated in their own time: the connection may be gone when one is handed over.
    const carries = connection.status === 'open' && carriesModels(connection)
    if (carries && this.#admission.isMember(peer)) this.#peerUp(peer)
    if (this.#stopping !== undefined || !this.#up.has(peer)) {
      stream.abort(new Error('not listening'))
      return
    }
    // One at a time and the newest counts: however many streams a peer opens, it costs one model.
    this.#inboxes.get(peer)?.abort('another stream took its place')
    const inbox = new Inbox({
      stream,
      guard: this.#guard,
      pace: this.#options.pace,
      layout: () => this.#layout,
      nowMs: () => this.nowMs(),
      onBytes: (bytes) => (this.#counters.bytesReceived += bytes),
      onMessage: (message) => this.#deliver({ kind: 'message', from: peer, message }),
      onFault: (reason) => this.#deliver({ kind: 'malformed', from: peer, reason }),
      onTruncated: (reason) => {
        this.#counters.framesTruncated++
        if (reason === 'slow') this.#tell({ kind: 'peer-slow', peer })
      }
    })
    this.#inboxes.set(peer, inbox)
  }

  #send(peer: PeerId, message: Message): void {
    if (!this.#up.has(peer)) return
    const outbox = this.#outboxOf(peer)
    if (outbox.send(message)) return
    outbox.abort('too much waits for this peer')
    this.#outboxes.delete(peer)
    this.#tell({ kind: 'peer-slow', peer })
    this.#guard.run('disconnecting', () => this.#disconnect(peer))
  }

  #outboxOf(peer: PeerId): Outbox {
    const existing = this.#outboxes.get(peer)
    if (existing !== undefined) return existing
    const outbox = new Outbox(
      {
        guard: this.#guard,
        pace: this.#options.pace,
        nowMs: () => this.nowMs(),
        open: () => this.#openStream(peer),
        onBytes: (bytes) => (this.#counters.bytesSent += bytes),
        onLost: (message, failure) => {
          this.#counters.framesLost++
          this.#tell({ kind: 'send-failed', peer, what: message.kind, reason: reasonOf(failure) })
        }
      },
      this.#options.outbox
    )
    this.#outboxes.set(peer, outbox)
    return outbox
  }

  #openStream(peer: PeerId): Promise<Stream> {
    const connections = this.#connectionsTo(peer)
    const best = connections.find(({ direct }) => direct) ?? connections[0]
    if (best === undefined) return Promise.reject(new Error('not connected'))
    return best.newStream(framesProtocol, {
      signal: AbortSignal.timeout(this.#options.dialDeadlineMs)
    })
  }

  // --- the participant --------------------------------------------------------------------------

  /** A life begins with its start: what came before waits. */
  #begin(): void {
    const early = this.#early ?? []
    this.#early = undefined
    this.#deliver({ kind: 'start' })
    for (const input of early) this.#deliver(input)
  }

  #deliver(input: ParticipantInput): void {
    if (this.#early !== undefined) {
      this.#early.push(input)
      return
    }
    this.#guard.run(`handling '${input.kind}'`, () => this.#driver.deliver(input))
  }

  #wake(timer: Timer, afterMs: number): void {
    clearTimeout(this.#timers.get(timer))
    const ring = this.#guard.wrap(`the timer '${timer}'`, () => {
      this.#timers.delete(timer)
      this.#deliver({ kind: 'wake', timer })
    })
    this.#timers.set(timer, setTimeout(ring, Math.min(Math.ceil(afterMs), timerMsMax)))
  }

  #adopt(task: Task): void {
    this.#layout = task.layout
    this.#progress = { task: task.cid, round: 0, steps: 0, loss: null, accuracy: null }
    this.#announcer?.join(task.cid)
    this.#providers.join(task.cid)
    void this.#ask(
      () => this.#parts.trainer.adopt(task),
      (samples) => ({ kind: 'adopted', samples }),
      (reason) => ({ kind: 'unfit', reason })
    )
  }

  /** Have something done elsewhere; what comes of it returns as an input. */
  async #ask<Result>(
    work: () => Promise<Result>,
    done: (result: Result) => ParticipantInput,
    failed: (reason: string) => ParticipantInput | undefined
  ): Promise<void> {
    let answer: ParticipantInput | undefined
    try {
      answer = done(await work())
    } catch (failure) {
      answer = failed(reasonOf(failure))
    }
    if (answer !== undefined) this.#deliver(answer)
  }

  #announce(event: ParticipantEvent): void {
    if (this.#progress === undefined) return
    if (event.kind === 'trained') {
      this.#progress = { ...this.#progress, loss: finiteOrNull(event.loss) }
    } else if (event.kind === 'round-finished') {
      this.#progress = { ...this.#progress, round: event.round }
    } else if (event.kind === 'evaluated') {
      this.#progress = { ...this.#progress, accuracy: finiteOrNull(event.evaluation.accuracy) }
    } else {
      return
    }
    this.#announcer?.announce({ ...this.#progress, addresses: this.#addresses() })
  }

  #addresses(): string[] {
    return tellable(this.#parts.node.getMultiaddrs())
  }

  #tellAddresses(): void {
    const addresses = this.#addresses()
    this.#tell({ kind: 'listening', addresses })
    this.#deliver({ kind: 'listening', addresses })
  }

  #tell(event: BodyEvent): void {
    for (const listener of this.#listeners) {
      this.#guard.run('a listener of events', () => listener(event))
    }
  }

  async #stop(): Promise<void> {
    const { node } = this.#parts
    const startedMs = this.nowMs()
    this.#stopSearching()
    this.#deliver({ kind: 'leave' })
    await within(
      this.#options.leaveMsMax,
      Promise.all([
        ...this.#saves,
        ...[...this.#outboxes.values()].map((outbox) => outbox.finish())
      ])
    )
    this.#endLife()
    const leftMs = this.#options.stopMsMax - (this.nowMs() - startedMs)
    const stopped = await within(Math.max(leftMs, 0), Promise.resolve(node.stop()))
    if (!stopped) this.#breakConnections('stopping')
  }

  async #kill(): Promise<void> {
    this.#stopSearching()
    this.#endLife()
    this.#breakConnections('killed')
    await within(this.#options.stopMsMax, Promise.resolve(this.#parts.node.stop()))
  }

  #stopSearching(): void {
    this.#admission.stop()
    this.#bootstraps.stop()
    this.#providers.stop()
    this.#announcer?.stop()
  }

  /** From here on the machine is told nothing and asks for nothing. */
  #endLife(): void {
    this.#driver.stop()
    this.#over = true
    for (const stop of this.#stopListening) stop()
    for (const timer of this.#timers.values()) clearTimeout(timer)
    for (const box of [...this.#inboxes.values(), ...this.#outboxes.values()]) {
      box.abort('stopping')
    }
  }

  #breakConnections(why: string): void {
    for (const connection of this.#parts.node.getConnections()) connection.abort(new Error(why))
  }
}

/** A relay that limits what it carries would cut a model in the middle. */
function carriesModels({ limits }: Connection): boolean {
  return limits === undefined
}

/** How long a disconnected peer may take to hear our last words, in milliseconds. */
const closeMsMax = 1_000

/** @returns whether the work was done, one way or another, before the time was up */
async function within(ms: number, work: Promise<unknown> | undefined): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), ms)
  void Promise.resolve(work).then(
    () => resolve(true),
    () => resolve(true)
  )
  return promise.finally(() => clearTimeout(timer))
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}

/** A body for one participant. */
export function libp2pBody(
  options: Partial<BodyOptions> = {}
): (components: BodyComponents) => Libp2pBody {
  return (components) => new Libp2pBody(components, { ...bodyDefaults, ...options })
}
