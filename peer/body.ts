import { Driver } from '../src/core/driver.ts'
import type { Body, Machine } from '../src/core/machine.ts'
import type { Layout } from '../src/learning/layout.ts'
import type { Contact, Message, PeerId } from '../protocols/messages.ts'
import type {
  ParticipantEffect,
  ParticipantEvent,
  ParticipantInput,
  Timer
} from '../protocols/participant-io.ts'
import { tellable, type PeerAddress } from './network/addresses.ts'
import type { GossipManners, Heard } from './discovery/announcements.ts'
import { bootstrapDefaults, type BootstrapEvent } from './discovery/bootstrap.ts'
import { Admission, type AccessEvent } from './access/admission.ts'
import { openGate, type Gate } from './access/gate.ts'
import { Chores, type Store, type Trainer } from './chores.ts'
import { Guard } from './guarded.ts'
import { Frames, type FrameCounters } from './frames.ts'
import { Links, type LinkEvent, type LinksOptions, type NatStatus } from './links.ts'
import { isPublic } from './nat/endpoint.ts'
import { ladderDefaults } from './nat/ladder.ts'
import type { ConnectionView } from './network/connections.ts'
import { keepAddressBook } from './network/address-book.ts'
import type { DialRules } from './network/hygiene.ts'
import { ReachWatch, type ReachEvent } from './nat/reach-watch.ts'
import { reachOfNode, type ReachOfNode } from './nat/reach.ts'
import { startNetwork, type StarlingNode } from './network/network.ts'
import { ping, type Pong } from './network/ping.ts'
import { outboxDefaults, type OutboxOptions } from './outbox.ts'
import { paceDefaults, type Pace } from './pace.ts'
import { providersDefaults } from './discovery/providers.ts'
import { Search, type SearchOptions } from './discovery/search.ts'
import { reasonOf } from './reason.ts'
import { within } from './within.ts'

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

export interface BodyOptions extends SearchOptions {
  readonly outbox: OutboxOptions
  readonly pace: Pace
  readonly links: LinksOptions
  /** Longest time for a dial or for opening a stream, in milliseconds. */
  readonly dialDeadlineMs: number
  /** Longest time for a goodbye and the last checkpoint to get through, in milliseconds. */
  readonly leaveMsMax: number
  /** Longest time that stopping takes altogether, whatever hangs, in milliseconds. */
  readonly stopMsMax: number
}

export const bodyDefaults: BodyOptions = {
  remembers: true,
  bootstraps: [],
  bootstrap: bootstrapDefaults,
  providers: providersDefaults,
  outbox: outboxDefaults,
  pace: paceDefaults,
  links: { ...ladderDefaults, isAcceptable: isPublic },
  dialDeadlineMs: 10_000,
  leaveMsMax: 2_000,
  stopMsMax: 4_500
}

/** What the network itself has to tell, besides what the participant emits. */
export type NetworkEvent =
  | BootstrapEvent
  | ReachEvent
  | LinkEvent
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

export interface NetworkStatus extends FrameCounters {
  readonly addresses: readonly string[]
  readonly connections: readonly ConnectionView[]
  /** Peers that we reach directly, and those only by a relay. */
  readonly paths: { readonly direct: number; readonly relayed: number }
  readonly nat: NatStatus
  /** Made and refused so far, whatever they were for. */
  readonly dials: { readonly made: number; readonly refused: number }
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
  readonly #chores: Chores
  readonly #search: Search
  readonly #reachWatch: ReachWatch
  readonly #admission: Admission
  readonly #listeners = new Set<(event: BodyEvent) => void>()
  readonly #links: Links
  readonly #frames: Frames
  readonly #timers = new Map<Timer, NodeJS.Timeout>()
  readonly #stopListening: (() => void)[] = []
  #layout: Layout | null = null
  /** What happened while the network was starting; undefined from the machine's start on. */
  #early: ParticipantInput[] | undefined = []
  #addressesTold = ''
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
    const shared = { guard: this.#guard, nowMs: () => this.nowMs() }
    this.#links = new Links(
      {
        node,
        guard: this.#guard,
        nowMs: shared.nowMs,
        isMember: (peer) => this.#admission.isMember(peer),
        onIntroduced: (connection) => this.#admission.meet(connection),
        onUp: (peer) => this.#deliver({ kind: 'peerUp', peer }),
        onDown: (peer) => this.#peerDown(peer),
        onGone: (peer) => this.#search.peerGone(peer),
        onUnreachable: (peer) => this.#deliver({ kind: 'unreachable', peer }),
        onChange: (peer) => this.#frames.useBest(peer),
        onFrames: (stream, connection) => this.#frames.receive(stream, connection),
        onEvent: (event) => this.#tell(event)
      },
      { ...options.links, dialMsMax: options.dialDeadlineMs }
    )
    this.#frames = new Frames(
      {
        guard: this.#guard,
        connections: this.#links.connections,
        nowMs: shared.nowMs,
        layout: () => this.#layout,
        onMessage: (from, message) => this.#deliver({ kind: 'message', from, message }),
        onFault: (from, reason) => this.#deliver({ kind: 'malformed', from, reason }),
        onLost: (peer, { kind: what }, reason) =>
          this.#tell({ kind: 'send-failed', peer, what, reason }),
        onSlow: (peer) => this.#tell({ kind: 'peer-slow', peer })
      },
      options
    )
    this.#search = new Search(
      {
        ...shared,
        node,
        manners,
        isConnected: (peer) => this.#links.connections.to(peer).length > 0,
        addresses: () => this.#addresses(),
        onContacts: (contacts) => this.meet(contacts),
        onEvent: (event) => this.#tell(event)
      },
      options
    )
    this.#chores = new Chores({
      trainer: parts.trainer,
      store: parts.store,
      guard: this.#guard,
      onDone: (input) => this.#done(input),
      onTrouble: (what) => this.#tell({ kind: 'trouble', what })
    })
    this.#admission = new Admission({
      node,
      gate: parts.gate ?? openGate(this.self),
      guard: this.#guard,
      onAdmitted: (peer) => this.#links.admitted(peer),
      onRefused: (peer) => this.#links.refused(peer),
      onEvent: (event) => this.#tell(event)
    })
    this.#reachWatch = new ReachWatch({
      guard: this.#guard,
      reach: () => this.reach(),
      onEvent: (event) => this.#tell(event)
    })
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
    this.#stopListening.push(keepAddressBook(node, this.#guard, this.#parts.rules))
    this.#search.listen()
    await this.#admission.start()
    await this.#links.listen()
    await startNetwork(node)
    this.#links.start()
    this.#begin()
    // The first of these tells of everything, but a second late.
    const tell = this.#guard.wrap('telling our addresses', () => this.#tellAddresses())
    this.#stopListening.push(
      this.#guard.listen(node, 'self:peer:update', tell),
      this.#guard.listen(node, 'transport:listening', tell),
      node.services.proofs.onChange(tell)
    )
    tell()
    this.#reachWatch.start()
    this.#search.start()
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
    this.#search.addBootstrap(bootstrap)
  }

  removeBootstrap(bootstrap: PeerAddress): void {
    this.#search.removeBootstrap(bootstrap)
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
    const { dialer } = this.#parts.node.services
    return {
      addresses: this.#addresses(),
      ...this.#frames.counters,
      connections: this.#links.views(),
      paths: this.#links.connections.counts(),
      nat: this.#links.nat(),
      dials: dialer?.budget.counts ?? { made: 0, refused: 0 },
      bugs: this.#guard.bugs,
      heard: this.#search.heard
    }
  }

  /** How others can reach us, as far as we know by now. */
  reach(): ReachOfNode {
    const { mapping, external, missed } = this.#links.nat()
    const punched = this.#links.views().filter(({ kind }) => kind === 'punched').length
    return reachOfNode(this.#parts.node, this.#addresses(), { mapping, external, punched, missed })
  }

  /** Peers that the participant may want to know, from wherever. */
  meet(contacts: readonly Contact[]): void {
    if (contacts.length > 0) this.#deliver({ kind: 'discovered', contacts })
  }

  nowMs(): number {
    return performance.now()
  }

  perform(effect: ParticipantEffect): void {
    if (this.#over) return
    switch (effect.kind) {
      case 'send':
        this.#guard.run('sending', () => this.#send(effect.to, effect.message))
        break
      case 'connect':
        this.#guard.run('dialing', () => this.#links.connect(effect.contact))
        break
      case 'disconnect':
        this.#guard.run('disconnecting', () => this.#disconnect(effect.peer))
        break
      case 'wake':
        this.#wake(effect.timer, effect.afterMs)
        break
      case 'adopt':
        this.#layout = effect.task.layout
        this.#search.join(effect.task.cid)
        this.#chores.perform(effect)
        break
      case 'train':
      case 'merge':
      case 'evaluate':
      case 'save':
        this.#chores.perform(effect)
        break
      case 'emit':
        this.#search.announce(effect.event)
        this.#tell(effect.event)
        break
    }
  }

  // --- peers ------------------------------------------------------------------------------------

  #peerDown(peer: PeerId): void {
    this.#frames.drop(peer)
    this.#deliver({ kind: 'peerDown', peer })
  }

  #send(peer: PeerId, message: Message): void {
    if (!this.#links.isUp(peer) || this.#frames.send(peer, message)) return
    this.#tell({ kind: 'peer-slow', peer })
    this.#guard.run('disconnecting', () => this.#disconnect(peer))
  }

  async #disconnect(peer: PeerId): Promise<void> {
    if (this.#links.isUp(peer)) await this.#links.disconnect(peer, this.#frames.finish(peer))
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

  #done(input: ParticipantInput): void {
    if (input.kind === 'trained') this.#search.noteSteps(input.result.steps)
    this.#deliver(input)
  }

  #addresses(): string[] {
    return tellable(this.#parts.node.getMultiaddrs())
  }

  #tellAddresses(): void {
    const addresses = this.#addresses()
    // libp2p says so, too, of every protocol that is added.
    if (addresses.join() !== this.#addressesTold) {
      this.#addressesTold = addresses.join()
      this.#tell({ kind: 'listening', addresses })
      this.#deliver({ kind: 'listening', addresses })
    }
    this.#reachWatch.look()
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
      Promise.all([this.#chores.saved(), this.#frames.finishAll()])
    )
    this.#endLife()
    const leftMs = this.#options.stopMsMax - (this.nowMs() - startedMs)
    const stopped = await within(Math.max(leftMs, 0), Promise.resolve(node.stop()))
    if (!stopped) this.#links.breakAll('stopping')
  }

  async #kill(): Promise<void> {
    this.#stopSearching()
    this.#endLife()
    this.#links.breakAll('killed')
    await within(this.#options.stopMsMax, Promise.resolve(this.#parts.node.stop()))
  }

  #stopSearching(): void {
    this.#reachWatch.stop()
    this.#admission.stop()
    this.#search.stop()
  }

  /** From here on the machine is told nothing and asks for nothing. */
  #endLife(): void {
    this.#driver.stop()
    this.#over = true
    for (const stop of this.#stopListening) stop()
    for (const timer of this.#timers.values()) clearTimeout(timer)
    this.#links.stop()
    this.#frames.abortAll()
  }
}

/** A body for one participant. */
export function libp2pBody(
  options: Partial<BodyOptions> = {}
): (components: BodyComponents) => Libp2pBody {
  return (components) => new Libp2pBody(components, { ...bodyDefaults, ...options })
}
