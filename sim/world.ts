import { participant } from '../protocols/participant.ts'
import type {
  ParticipantComponents,
  ParticipantEffect,
  ParticipantInput
} from '../protocols/participant-io.ts'
import { assert, present } from '../src/core/assert.ts'
import { Driver } from '../src/core/driver.ts'
import { simultaneousEventsPerPeerMax } from '../src/core/limits.ts'
import type { Body } from '../src/core/machine.ts'
import type { Random } from '../src/core/random.ts'
import type { Task } from '../src/learning/task.ts'
import type { Parcel } from './adversaries/attack.ts'
import type { HostilePeers } from './adversaries/choose.ts'
import { Hostiles } from './adversaries/hostiles.ts'
import { bytesOfParcel, inputOf } from './adversaries/reading.ts'
import { Bodies } from './bodies.ts'
import { draw } from './distribution.ts'
import { concernedBy, type WorldEvent } from './events.ts'
import { Ailing, holdsUp } from './faults/ailing.ts'
import { Faults } from './faults/faults.ts'
import { Ice } from './faults/ice.ts'
import { regionsOf } from './faults/regions.ts'
import type { Ailment, Disk, Stricken, Wall } from './faults/stricken.ts'
import { Walls } from './faults/walls.ts'
import type { CreateInhabitant } from './inhabitant.ts'
import { Network, type NetworkEvent } from './network/network.ts'
import { modestOf } from './modest.ts'
import { Notary } from './notary.ts'
import { EventQueue } from './queue.ts'
import type { Scenario } from './scenario.ts'
import { Seats, type Life, type Seat } from './seats.ts'
import {
  buildTopology,
  edgesOf,
  graphOf,
  neighboursOf,
  type Topology
} from './topology/topology.ts'
import { overlayFacts } from './topology/overlay.ts'
import { partnersOf } from './topology/partners.ts'
import { addressOf, bootstrapsOf, rendezvousOf, type Rendezvous } from './topology/rendezvous.ts'
import { when, type Eventually, type Trainer } from './learning/trainer.ts'
import { Watch, type Outcome, type Progress } from './watch.ts'

export interface WorldComponents {
  readonly scenario: Scenario
  /** The root of all chance in this world. */
  readonly random: Random
  readonly task: Task
  readonly trainer: Trainer
  readonly topology: Topology
  /** Who is not honest; by default nobody. */
  readonly hostile?: HostilePeers | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  /** Told every event as one line of JSON. */
  readonly onEvent?: ((line: string) => void) | undefined
  /** Note who is up and who is connected as time goes by. */
  readonly drawing?: boolean | undefined
  /** Looked at between events: end with what there is so far. */
  readonly stop?: AbortSignal | undefined
  /** Asked between events: whoever hosts the world may want a turn, or its signals never arrive. */
  readonly breathe?: (() => Promise<void> | undefined) | undefined
  /** Who lives in this world; participants as the scenario wants them otherwise. */
  readonly createInhabitant?: CreateInhabitant | undefined
}

/** A swarm in virtual time. Everything that happens is a function of the components. */
export class World implements Stricken {
  readonly #components: WorldComponents
  readonly #rendezvous: Rendezvous | undefined
  readonly #queue = new EventQueue<WorldEvent>()
  readonly #network: Network<Parcel>
  readonly #seats: Seats
  readonly #watch: Watch
  readonly #faults: Faults
  readonly #hostiles: Hostiles
  readonly #bodies: Bodies
  readonly #notary: Notary
  readonly #walls = new Walls()
  readonly #ice = new Ice<Seat, WorldEvent>()
  readonly #slowestStepMs: number
  /** The most that a fault ever slowed a peer down. */
  #slowness = 1
  #instantMs = 0
  #eventsInInstant = 0

  constructor(components: WorldComponents) {
    const { scenario, random, topology, trainer, hostile = new Map() } = components
    this.#components = components
    this.#notary = new Notary(random.fork('notary'))
    this.#rendezvous = rendezvousOf(scenario.topology, (peer) => this.#seats.at(peer).id)
    this.#network = new Network(
      {
        peers: topology.peers,
        queue: this.#queue as EventQueue<NetworkEvent<Parcel>>,
        random: random.fork('network')
      },
      scenario.network
    )
    this.#seats = new Seats(
      topology.neighbours.map((_, index) => ({
        honest: !hostile.has(index),
        stepMs: draw(scenario.compute.stepMs, random.fork(`compute/${index}`))
      }))
    )
    this.#slowestStepMs = Math.max(...this.#seats.all.map(({ stepMs }) => stepMs))
    this.#watch = new Watch({
      ...components,
      seats: this.#seats,
      clock: this.#queue,
      isIsolated: (peer) => this.#network.isAlone(peer),
      network: this.#network,
      canReach: (from, to) => this.isAlive(from) && this.isAlive(to) && !this.#walls.parts(from, to)
    })
    const regionOf = regionsOf(scenario.regions, topology, random.fork('regions'))
    this.#faults = new Faults(
      this,
      { ...scenario, regionOf, bootstraps: bootstrapsOf(scenario.topology) },
      random.fork('faults')
    )
    const graph = (): Topology => this.topology
    this.#hostiles = new Hostiles({
      scenario,
      topology: {
        peers: topology.peers,
        get neighbours() {
          return graph().neighbours
        }
      },
      hostile,
      isAlive: (peer) => this.isAlive(peer),
      samplesOf: (peer) => trainer.samplesOf(peer),
      numberOf: (peer) => present(this.#seats.of(peer), peer).index,
      nameOf: (peer) => this.#seats.at(peer).id,
      signerOf: (peer) => {
        assert(this.#seats.of(peer)?.honest !== true, `${peer} keeps its key to itself`)
        return this.#notary.signerOf(peer)
      },
      task: components.task.cid,
      random: random.fork('hostiles')
    })
    this.#bodies = new Bodies({
      trainer,
      rendezvous: this.#rendezvous,
      queue: this.#queue,
      network: this.#network,
      seats: this.#seats,
      watch: this.#watch,
      walls: this.#walls,
      connect: (a, b) => this.#connect(a, b),
      onSent: (from, parcel) => this.#hostiles.overhear(from, parcel)
    })
  }

  /**
   * Live through the scenario. Once only.
   * @throws what the trainer throws
   */
  async run(): Promise<Outcome> {
    const { stop, breathe } = this.#components
    this.begin()
    // Most events are over at once; waiting for each of them would take longer than they do.
    while (stop?.aborted !== true) {
      const goesOn = this.step()
      if (!(typeof goesOn === 'boolean' ? goesOn : await goesOn)) break
      const breath = breathe?.()
      if (breath !== undefined) await breath
    }
    return this.#outcome()
  }

  /** Let everybody live, and connect them. Once only. */
  begin(): void {
    this.#faults.reach(0) // who is down from the start is not waited for
    for (const seat of this.#seats.living) this.#bear(seat)
    for (const [a, b] of edgesOf(this.topology)) this.#connect(a, b)
  }

  /** The graph that the scenario gives; where peers make their own, that of open connections. */
  get topology(): Topology {
    const { topology } = this.#components
    if (this.#rendezvous === undefined) return topology
    return graphOf(topology.peers, this.#network.connections())
  }

  /**
   * Let the next event happen, with all that follows from it. One step at a time.
   * @returns false, and does nothing, when the run is over
   */
  step(): Eventually<boolean> {
    const dueMs = this.#nextMs()
    if (dueMs === undefined) return false
    this.#eventsInInstant = dueMs === this.#instantMs ? this.#eventsInInstant + 1 : 0
    this.#instantMs = dueMs
    if (this.#eventsInInstant > simultaneousEventsPerPeerMax * this.#seats.all.length) {
      throw new Error(`time stands still at ${dueMs} ms`)
    }
    const happened = this.#happen(present(this.#queue.take(), 'the event that is due'))
    if (happened instanceof Promise || this.#watch.hasNews) return this.#afterwards(happened)
    this.#watch.glance()
    return true
  }

  async #afterwards(happened: Eventually<void>): Promise<boolean> {
    await happened
    if (this.#watch.hasNews) await this.#watch.report()
    this.#watch.glance()
    return true
  }

  // --- what faults may do ---------------------------------------------------------------------

  isAlive(peer: number): boolean {
    return this.#seats.at(peer).up
  }

  hasData(peer: number): boolean {
    return this.#components.trainer.samplesOf(peer) > 0
  }

  crash(peer: number): void {
    const seat = this.#seats.at(peer)
    this.#seats.crash(seat)
    this.#network.crash(peer)
    seat.ailing?.wakeUp()
    this.#thaw(seat)
    this.#watch.note(seat, 'world', { kind: 'crash' })
  }

  restart(peer: number, disk: Disk): void {
    const seat = this.#seats.at(peer)
    if (disk === 'torn') seat.checkpoint = seat.previous
    if (disk === 'lost' || disk === 'new-id') {
      seat.checkpoint = null
      this.#rendezvous?.forget(peer)
    }
    if (disk === 'new-id') this.#seats.rename(seat)
    if (disk !== 'kept') seat.previous = null
    this.#watch.note(seat, 'world', { kind: 'restart', fromRound: seat.checkpoint?.round ?? null })
    seat.up = true
    this.#bear(seat)
    for (const other of neighboursOf(this.#components.topology, peer)) this.#connect(peer, other)
  }

  part(wall: Wall): number {
    this.#walls.raise(wall)
    this.#watch.note(null, 'world', { kind: 'partition', ...wall.facts })
    if (wall.direction === 'one-way') return 0
    const crossing = edgesOf(this.topology).filter(
      ([a, b]) => wall.separates(a, b) && this.isAlive(a) && this.isAlive(b)
    )
    for (const [a, b] of crossing) this.#network.cut(a, b)
    return crossing.length
  }

  heal(wall: Wall): void {
    this.#walls.fell(wall)
    this.#watch.note(null, 'world', { kind: 'heal' })
    for (const [a, b] of edgesOf(this.topology)) this.#connect(a, b)
  }

  afflict(peer: number, ailment: Ailment): boolean {
    const seat = this.#seats.at(peer)
    seat.ailing ??= new Ailing()
    seat.ailing.add(ailment, this.nowMs)
    if (holdsUp(ailment)) this.#seats.touch(seat)
    if (ailment.kind === 'slow') this.#slowness = Math.max(this.#slowness, ailment.factor)
    if (ailment.kind === 'frozen') this.#ice.over(seat)
    if (ailment.kind === 'poor-line') this.#network.degrade(peer, ailment)
    this.#watch.note(seat, 'world', { kind: 'afflicted', ailment: ailment.kind })
    return true
  }

  relieve(peer: number, ailment: Ailment): void {
    const seat = this.#seats.at(peer)
    seat.ailing?.remove(ailment)
    if (ailment.kind === 'poor-line') this.#network.mend(peer, ailment)
    this.#watch.note(seat, 'world', { kind: 'relieved', ailment: ailment.kind })
    if (seat.ailing?.isFrozen !== true) this.#thaw(seat)
  }

  loseRelays(): void {
    const broken = this.#network.loseRelays()
    this.#watch.note(null, 'world', { kind: 'relay-loss', broken })
  }

  get nowMs(): number {
    return this.#queue.nowMs
  }

  later(afterMs: number, act: () => void): void {
    this.#queue.push(afterMs, { kind: 'weather', act })
  }

  #thaw(seat: Seat): void {
    for (const event of this.#ice.melt(seat)) this.#queue.push(0, event)
  }

  // --- lives ----------------------------------------------------------------------------------

  #bear(seat: Seat): void {
    const { random, task } = this.#components
    const { createInhabitant = this.#participantAt(seat) } = this.#components
    const body: Body<ParticipantEffect> = {
      nowMs: () => seat.ailing?.clockMs(this.nowMs) ?? this.nowMs,
      perform: (effect) => this.#bodies.perform(life, effect)
    }
    const components: ParticipantComponents = {
      self: seat.id,
      random: random.fork(`${seat.id}/life/${seat.lives++}`),
      signer: this.#notary.signerOf(seat.id),
      task,
      wanted: null,
      checkpoint: seat.checkpoint
    }
    const inhabitant = this.#hostiles.inhabit(
      seat.index,
      createInhabitant(components, body),
      components,
      {
        perform: (effect) => this.#bodies.perform(life, effect),
        later: (afterMs, act) => this.#queue.push(afterMs, { kind: 'plot', life, act }),
        litter: (to, bytes) => this.#bodies.send(life, to, bytes)
      }
    )
    const life: Life = {
      seat,
      inhabitant,
      driver: new Driver(inhabitant, body),
      timers: new Map(),
      round: seat.checkpoint?.round ?? 0,
      finished: false
    }
    this.#seats.begin(life)
    const rendezvous = this.#rendezvous
    if (rendezvous !== undefined) {
      this.#deliver(life, { kind: 'listening', addresses: [addressOf(seat.id)] })
    }
    this.#deliver(life, { kind: 'start' })
    if (rendezvous !== undefined) {
      this.#deliver(life, { kind: 'discovered', contacts: rendezvous.contactsFor(seat.index) })
    }
  }

  #participantAt(seat: Seat): CreateInhabitant {
    const { rounds, exchange, evaluateEveryRounds, topology, peers } = this.#components.scenario
    const { degree = 0 } = this.#rendezvous ?? {}
    return participant({
      roundsMax: rounds ?? Infinity,
      saveEveryRounds: 1,
      evaluateEveryRounds,
      quorum: exchange.mode === 'gossip' ? 0 : degree || this.#reachable(seat.index).length,
      degree,
      catchUp: exchange.catchUp,
      partners: partnersOf(topology, seat.index, peers, (peer) => this.#seats.at(peer).id)
    })
  }

  #connect(a: number, b: number): void {
    if (this.#canMeet(a, b)) this.#network.open(a, b)
  }

  #canMeet(a: number, b: number): boolean {
    return (
      this.isAlive(a) &&
      this.isAlive(b) &&
      this.#network.canConnect(a, b) &&
      !this.#walls.parts(a, b)
    )
  }

  #reachable(peer: number): readonly number[] {
    const { topology } = this.#components
    return neighboursOf(topology, peer).filter((other) => this.#canMeet(peer, other))
  }

  // --- events ---------------------------------------------------------------------------------

  /** When the next event is due, unless the run is over before it. */
  #nextMs(): number | undefined {
    while (this.#seats.isDeserted && this.#faults.hurry()) this.#advance()
    const dueMs = this.#queue.peekMs()
    if (dueMs === undefined) return undefined
    const { rounds, durationSeconds } = this.#components.scenario
    if (durationSeconds !== undefined) return dueMs <= durationSeconds * 1_000 ? dueMs : undefined
    const isAwaited = this.#seats.isDeserted && this.#faults.isWaiting
    if (rounds !== undefined && this.#seats.unfinished === 0 && !isAwaited) return undefined
    const stallMs = this.#stallMs()
    if (dueMs - this.#watch.lastAdvanceMs > stallMs && this.#faults.calmDown()) {
      this.#watch.note(null, 'world', { kind: 'calm' })
    }
    return dueMs - this.#watch.lastProgressMs > stallMs ? undefined : dueMs
  }

  /** So long without one round finished anywhere, several times over what a round may take: it is over. */
  #stallMs(): number {
    const { exchange, task } = this.#components.scenario
    const slowestMs = this.#slowestStepMs * this.#slowness * task.localSteps
    const { pingTimeoutMs = 0, aggregationTimeoutMs = 0 } = modestOf(exchange) ?? {}
    const deadlineMs = exchange.deadlineSeconds * 1_000 + pingTimeoutMs + aggregationTimeoutMs
    return (
      this.#faults.longestWaitMs +
      60_000 +
      10 * (slowestMs + deadlineMs + exchange.intervalSeconds * 1_000)
    )
  }

  #happen(event: WorldEvent): Eventually<void> {
    if (this.#ice.holds(event, (each) => concernedBy(each, (peer) => this.#seats.at(peer)))) return
    switch (event.kind) {
      case 'input':
        return this.#deliver(event.life, event.input)
      case 'answer':
        if (event.life.seat.life !== event.life) return
        return when(event.answer(), (input) => this.#deliver(event.life, input))
      case 'timer':
        if (event.life.timers.get(event.timer) !== event.generation) return
        return this.#deliver(event.life, { kind: 'wake', timer: event.timer })
      case 'written':
        if (event.life.seat.life === event.life) {
          event.life.seat.previous = event.life.seat.checkpoint
          event.life.seat.checkpoint = event.checkpoint
        }
        return this.#deliver(event.life, { kind: 'saved', round: event.checkpoint.round })
      case 'dialed':
        if (this.#network.isOpen(event.life.seat.index, event.peer)) return
        return this.#deliver(event.life, {
          kind: 'unreachable',
          peer: this.#seats.at(event.peer).id
        })
      case 'plot':
        if (event.life.seat.life === event.life) event.act()
        return
      case 'weather':
        event.act()
        return this.#advance()
      case 'arrival':
      case 'hop':
      case 'opened':
      case 'gone':
        for (const delivery of this.#network.settle(event)) {
          if (delivery.kind === 'message') {
            const { from, to, message } = delivery
            this.#watch.arrived(from, to, message)
            this.#seats.at(to).ailing?.spend('bytes', bytesOfParcel(message))
            this.#tell(to, inputOf(this.#seats.at(from).id, message, this.#components.task.layout))
          } else {
            if (delivery.kind === 'peerUp') this.#rendezvous?.met(delivery.at, delivery.peer)
            this.#tell(delivery.at, { kind: delivery.kind, peer: this.#seats.at(delivery.peer).id })
          }
        }
    }
  }

  #tell(peer: number, input: ParticipantInput): void {
    const { life } = this.#seats.at(peer)
    if (life !== undefined) this.#deliver(life, input)
  }

  #deliver(life: Life, input: ParticipantInput): void {
    const { seat } = life
    if (seat.life !== life) return // a timer or an answer of a life that is over
    this.#watch.note(seat, 'input', input)
    life.driver.deliver(input)
    this.#watch.inspect(life, input)
    if (this.#watch.moved) this.#advance()
  }

  #advance(): void {
    const round = this.#watch.advance()
    if (round === undefined) return
    this.#faults.reach(round)
    this.#advance() // whoever held the world back may be down now
  }

  #outcome(): Promise<Outcome> {
    return this.#watch.outcome({
      trainSteps: this.#bodies.trainSteps,
      bytes: { ...this.#network.bytes },
      connections: { ...this.#network.paths },
      messages: { ...this.#network.messages },
      latenciesFilled: this.#network.latenciesFilled,
      faults: this.#faults.counts,
      adversaries: this.#hostiles.counts,
      overlay: overlayFacts(
        this.topology,
        (peer) => this.isAlive(peer) && this.#seats.at(peer).honest,
        (a, b) => this.#network.isOpen(a, b)
      )
    })
  }
}

/** The graph that a scenario asks for; its own fork, so that no other choice moves an edge. */
export function topologyOf(scenario: Scenario, random: Random): Topology {
  return buildTopology(scenario.topology, scenario.peers, random.fork('topology'))
}
