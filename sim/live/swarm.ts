import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { ParticipantComponents, ParticipantEvent } from '../../protocols/participant-io.ts'
import { ed25519Signer } from '../../peer/discovery/signer.ts'
import { frameBytes } from '../../protocols/wire.ts'
import type { Message } from '../../protocols/messages.ts'
import { assert } from '../../src/core/assert.ts'
import type { Random } from '../../src/core/random.ts'
import type { Task } from '../../src/learning/task.ts'
import type { HostilePeers } from '../adversaries/choose.ts'
import { Hostiles } from '../adversaries/hostiles.ts'
import { draw } from '../distribution.ts'
import { Ailing } from '../faults/ailing.ts'
import { Faults } from '../faults/faults.ts'
import { regionsOf } from '../faults/regions.ts'
import type { Ailment, Disk, Stricken, Wall } from '../faults/stricken.ts'
import { Walls } from '../faults/walls.ts'
import type { Trainer } from '../learning/trainer.ts'
import type { Edge } from '../results/timeline.ts'
import type { Scenario } from '../scenario.ts'
import { Seats, type Life, type Seat } from '../seats.ts'
import { overlayFacts } from '../topology/overlay.ts'
import { edgesOf, neighboursOf, type Topology } from '../topology/topology.ts'
import { Watch, type Outcome, type Progress } from '../watch.ts'
import { Clock } from './clock.ts'
import { honestPeer } from './inhabit.ts'
import { Lag } from './lag.ts'
import { eachOf, pause } from './later.ts'
import { Links } from './links.ts'
import { Names } from './names.ts'
import { keyOf, type Transport } from './node.ts'
import { patienceMs } from './patience.ts'
import { Tenancy } from './tenancy.ts'
import { Traffic, type Bytes } from './traffic.ts'

export interface LiveSwarmComponents {
  readonly scenario: Scenario
  readonly random: Random
  readonly task: Task
  readonly trainer: Trainer
  readonly topology: Topology
  readonly hostile: HostilePeers
  readonly transport: Transport
  /** Ends the run early; what there is until then is measured. */
  readonly stop?: AbortSignal | undefined
  /** Note who is up and who is connected as time goes by. */
  readonly drawing?: boolean | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
  readonly onEvent?: ((line: string) => void) | undefined
}

/** What is known of real nodes besides what a simulated world knows, too. */
export interface LiveFacts {
  /** Real ones, when the run ended. */
  readonly openConnections: number
  /** Resident memory that the process took from before its first node to the end, in bytes. */
  readonly memoryBytes: number
}

/** Between two looks at whether the run is over, in milliseconds. */
const lookEveryMs = 100

/** A swarm of real nodes in this process, by the wall clock. */
export class LiveSwarm implements Stricken {
  readonly topology: Topology
  readonly #components: LiveSwarmComponents
  readonly #seats: Seats
  readonly #watch: Watch
  readonly #faults: Faults
  readonly #hostiles: Hostiles
  readonly #links: Links
  readonly #lag: Lag
  readonly #traffic: Traffic
  readonly #clock = new Clock()
  readonly #walls = new Walls()
  readonly #names = new Names()
  readonly #tenancies = new Map<Seat, Tenancy>()
  /** What must be over before the seat's next life begins. */
  readonly #ending = new Map<Seat, Promise<void>>()
  readonly #births = new Set<Promise<void>>()
  readonly #over = Promise.withResolvers<void>()
  #trainSteps = 0
  #isOver = false
  #reporting: Promise<void> = Promise.resolve()

  constructor(components: LiveSwarmComponents) {
    const { scenario, random, topology, trainer, hostile, onEvent } = components
    this.#components = components
    this.topology = topology
    this.#lag = new Lag(scenario.peers, scenario.network, random.fork('network'))
    this.#traffic = new Traffic(this.#lag, this.#walls)
    this.#seats = new Seats(
      topology.neighbours.map((_, index) => ({
        honest: !hostile.has(index),
        stepMs: draw(scenario.compute.stepMs, random.fork(`compute/${index}`))
      }))
    )
    const isAlive = (peer: number): boolean => this.isAlive(peer)
    this.#links = new Links({
      topology,
      isAlive,
      isParted: (a, b) => this.#walls.parts(a, b),
      nodeAt: (peer) => this.#tenancies.get(this.#seats.at(peer))?.node
    })
    this.#watch = new Watch({
      ...components,
      onEvent: onEvent && ((line) => onEvent(this.#names.readable(line))),
      seats: this.#seats,
      clock: this.#clock,
      isIsolated: (peer) =>
        !neighboursOf(topology, peer).some((other) => this.#links.isOpen(peer, other)),
      network: this,
      canReach: (from, to) => this.#links.canMeet(from, to)
    })
    const regionOf = regionsOf(scenario.regions, topology, random.fork('regions'))
    this.#faults = new Faults(this, { ...scenario, regionOf, bootstraps: 0 }, random.fork('faults'))
    this.#hostiles = new Hostiles({
      scenario,
      topology,
      hostile,
      isAlive,
      samplesOf: (peer) => trainer.samplesOf(peer),
      numberOf: (id) => this.#names.indexOf(id),
      nameOf: (peer) => this.#names.idOf(peer),
      signerOf: (peer) => {
        throw new Error(`broken invariant: ${peer} is made up, which was refused`)
      },
      task: components.task.cid,
      random: random.fork('hostiles')
    })
    this.#over.promise.catch(() => undefined) // told by whoever waits for it
  }

  /**
   * Live through the scenario. Once only; no node is left when it settles.
   * @throws STARLING_UNREACHABLE when the nodes cannot be connected; what the trainer throws
   */
  async run(): Promise<Outcome & LiveFacts> {
    const { scenario, stop } = this.#components
    const memoryBefore = process.memoryUsage().rss
    const look = setInterval(() => this.#look(), lookEveryMs)
    const onAbort = (): void => this.#over.resolve()
    stop?.addEventListener('abort', onAbort)
    let timer: NodeJS.Timeout | undefined
    try {
      await Promise.race([this.#settleIn(), this.#over.promise])
      this.#clock.start()
      if (scenario.durationSeconds !== undefined) {
        timer = setTimeout(() => this.#over.resolve(), scenario.durationSeconds * 1_000)
      }
      for (const seat of this.#seats.living) this.#begin(seat)
      await this.#over.promise
      await this.#reporting
      const facts = {
        openConnections: this.connections().length,
        memoryBytes: Math.max(process.memoryUsage().rss - memoryBefore, 0)
      }
      return { ...(await this.#outcome()), ...facts }
    } finally {
      clearInterval(look)
      clearTimeout(timer)
      stop?.removeEventListener('abort', onAbort)
      await this.#leave()
    }
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
    seat.ailing?.wakeUp()
    this.#vacate(seat)
    this.#watch.note(seat, 'world', { kind: 'crash' })
  }

  restart(peer: number, disk: Disk): void {
    const seat = this.#seats.at(peer)
    if (disk === 'torn') seat.checkpoint = seat.previous
    if (disk === 'lost' || disk === 'new-id') seat.checkpoint = null
    if (disk === 'new-id') this.#seats.rename(seat)
    if (disk !== 'kept') seat.previous = null
    this.#watch.note(seat, 'world', { kind: 'restart', fromRound: seat.checkpoint?.round ?? null })
    seat.up = true
    void this.#bear(seat).then(
      () => {
        this.#begin(seat)
        this.#links.join(peer)
      },
      (failure: unknown) => this.#over.reject(failure)
    )
  }

  part(wall: Wall): number {
    this.#watch.note(null, 'world', { kind: 'partition', ...wall.facts })
    const crossing = edgesOf(this.topology).filter(
      ([a, b]) => wall.direction === 'both' && wall.separates(a, b) && this.#links.canMeet(a, b)
    )
    this.#walls.raise(wall)
    for (const [a, b] of crossing) this.#links.cut(a, b)
    return crossing.length
  }

  heal(wall: Wall): void {
    this.#walls.fell(wall)
    this.#watch.note(null, 'world', { kind: 'heal' })
    this.#links.heal()
  }

  afflict(peer: number, ailment: Ailment): boolean {
    const seat = this.#seats.at(peer)
    seat.ailing ??= new Ailing()
    seat.ailing.add(ailment, this.nowMs)
    if (ailment.kind === 'frozen' || ailment.kind === 'slow') this.#seats.touch(seat)
    if (ailment.kind === 'frozen') this.#tenancies.get(seat)?.freeze()
    this.#watch.note(seat, 'world', { kind: 'afflicted', ailment: ailment.kind })
    return true
  }

  relieve(peer: number, ailment: Ailment): void {
    const seat = this.#seats.at(peer)
    seat.ailing?.remove(ailment)
    this.#watch.note(seat, 'world', { kind: 'relieved', ailment: ailment.kind })
    this.#begin(seat)
  }

  loseRelays(): void {
    throw new Error('a fault that is refused before anybody lives')
  }

  get nowMs(): number {
    return this.#clock.nowMs
  }

  later(afterMs: number, act: () => void): void {
    void pause(afterMs).then(() => {
      if (this.#isOver) return
      act()
      this.#advance()
    })
  }

  // --- what is looked at ----------------------------------------------------------------------

  /** Of all lives so far. */
  get bytes(): Bytes {
    return this.#traffic.bytes([...this.#tenancies.values()].map(({ node }) => node))
  }

  /** Pairs that are connected. */
  connections(): readonly Edge[] {
    return edgesOf(this.topology).filter(([a, b]) => this.#links.isOpen(a, b))
  }

  // --- lives ----------------------------------------------------------------------------------

  /** Everybody has a node and is connected, and nobody has noticed yet. */
  async #settleIn(): Promise<void> {
    this.#faults.reach(0) // who is down from the start is not waited for
    await eachOf(this.#seats.living, (seat) => this.#bear(seat))
    await this.#links.openAll()
  }

  #begin(seat: Seat): void {
    if (seat.ailing?.isFrozen !== true) this.#tenancies.get(seat)?.begin()
  }

  #bear(seat: Seat): Promise<void> {
    const birth = this.#open(seat)
    this.#births.add(birth)
    return birth.finally(() => this.#births.delete(birth))
  }

  async #open(seat: Seat): Promise<void> {
    await this.#ending.get(seat)
    if (!seat.up) return
    const { scenario, random, task, transport, trainer } = this.#components
    const { index } = seat
    const privateKey = await keyOf(`${random.path}/key/${seat.id}`)
    const self = peerIdFromPrivateKey(privateKey).toString()
    this.#names.set(self, seat)
    const components: ParticipantComponents = {
      self,
      random: random.fork(`${seat.id}/life/${seat.lives++}`),
      signer: ed25519Signer(privateKey),
      task,
      wanted: null,
      checkpoint: seat.checkpoint
    }
    const reachable = this.#links.reachable(index).length
    const honest = honestPeer(
      scenario,
      index,
      (peer) => this.#names.idOf(peer),
      reachable,
      components
    )
    const tenancy = await Tenancy.open({
      seat,
      privateKey,
      transport,
      trainer,
      admits: (id) => this.#admits(index, id),
      inhabit: (perform, later) => {
        const litter = (): void => assert(false, 'who sends garbage was refused')
        return this.#hostiles.inhabit(index, honest, components, { perform, later, litter })
      },
      dueMs: (to, message) => this.#dueMs(seat, to, message),
      nowMs: () => this.nowMs,
      evaluate: (round, parameters) => this.#watch.evaluate(seat, round, parameters),
      onInput: (input) => {
        this.#watch.note(seat, 'input', input)
        if (input.kind === 'message') seat.ailing?.spend('bytes', frameBytes(input.message))
        if (input.kind === 'peerDown') void this.#links.lost(index, this.#names.indexOf(input.peer))
      },
      onDone: (life, input) => {
        if (seat.life === life) this.#watch.inspect(life, input)
        if (this.#watch.moved) this.#advance()
      },
      onEffect: (life, effect) => {
        const { kind } = effect
        const asked = kind === 'emit' ? { kind, event: this.#names.named(effect.event) } : effect
        if (seat.life === life) this.#watch.asked(life, asked)
        if (effect.kind === 'send') this.#hostiles.overhear(index, effect.message)
        if (effect.kind === 'disconnect')
          this.#links.partFrom(index, this.#names.indexOf(effect.peer))
      },
      onSteps: (steps) => (this.#trainSteps += steps),
      onEvent: (life, event) => this.#emitted(life, event),
      onBug: (failure) => this.#over.reject(failure)
    })
    this.#tenancies.set(seat, tenancy)
    if (seat.up) this.#seats.begin(tenancy.life)
    else this.#vacate(seat) // it crashed while it was being born
  }

  #admits(peer: number, id: string): boolean {
    const other = this.#names.find(id)
    if (other === undefined || !this.#links.canMeet(peer, other)) return false
    return neighboursOf(this.topology, peer).includes(other)
  }

  /** End the life in a seat, whatever it is at. */
  #vacate(seat: Seat): void {
    const tenancy = this.#tenancies.get(seat)
    if (tenancy === undefined) return
    this.#tenancies.delete(seat)
    this.#traffic.remember(tenancy.node)
    this.#ending.set(seat, tenancy.end())
  }

  async #leave(): Promise<void> {
    this.#isOver = true
    for (const seat of this.#seats.all) {
      seat.up = false
      this.#vacate(seat)
    }
    await Promise.allSettled(this.#births)
    await Promise.allSettled(this.#ending.values())
  }

  // --- what happens ---------------------------------------------------------------------------

  #emitted(life: Life, event: ParticipantEvent): void {
    if (life.seat.life !== life) return
    this.#watch.note(life.seat, 'event', event)
    if (event.kind === 'finished') this.#seats.finish(life)
    if (event.kind === 'round-finished') this.#watch.finishedRound(life, event.round)
  }

  #advance(): void {
    const round = this.#watch.advance()
    if (round === undefined) return
    this.#faults.reach(round)
    this.#reporting = this.#reporting.then(() => this.#watch.report())
    this.#reporting.catch((failure: unknown) => this.#over.reject(failure))
    this.#advance() // whoever held the world back may be down now
  }

  /** Whether there is still something to wait for. */
  #look(): void {
    if (!this.#clock.hasStarted) return
    this.#watch.glance()
    const { scenario } = this.#components
    const isQuiet = this.#births.size === 0
    while (isQuiet && this.#seats.isDeserted && this.#faults.hurry()) this.#advance()
    const isAwaited = this.#seats.isDeserted && this.#faults.isWaiting
    const isDone = isQuiet && !isAwaited && this.#seats.unfinished === 0
    if (scenario.rounds !== undefined && isDone) return this.#over.resolve()
    const sinceMs = this.#clock.nowMs - this.#watch.lastProgressMs
    if (sinceMs > patienceMs(scenario, this.#seats, this.#faults)) this.#over.resolve()
  }

  /** When a message leaves for real, if it ever does. */
  #dueMs(seat: Seat, to: string, message: Message): number | undefined {
    const fate = this.#traffic.fateOf(seat, this.#names.indexOf(to), message)
    if (typeof fate === 'number') return fate
    this.#watch.note(seat, 'world', { kind: fate, to })
    return undefined
  }

  #outcome(): Promise<Outcome> {
    return this.#watch.outcome({
      trainSteps: this.#trainSteps,
      bytes: this.bytes,
      connections: {
        direct: edgesOf(this.topology).length,
        punched: 0,
        relayed: 0,
        limited: 0,
        unreachable: 0
      },
      messages: { ...this.#lag.messages },
      latenciesFilled: this.#lag.latenciesFilled,
      faults: this.#faults.counts,
      adversaries: this.#hostiles.counts,
      overlay: overlayFacts(
        this.topology,
        (peer) => this.isAlive(peer) && this.#seats.at(peer).honest,
        (a, b) => this.#links.isOpen(a, b)
      )
    })
  }
}
