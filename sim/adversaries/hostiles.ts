import { present } from '../../src/core/assert.ts'
import { sampleClaimRatioMax } from '../../src/core/limits.ts'
import type { Random } from '../../src/core/random.ts'
import type { PeerId, Update } from '../../protocols/messages.ts'
import type { ParticipantComponents } from '../../protocols/participant-io.ts'
import type { Signer } from '../../protocols/records/record.ts'
import type { FaultCounts } from '../faults/faults.ts'
import type { Scenario } from '../scenario.ts'
import { neighboursOf, type Topology } from '../topology/topology.ts'
import type { Inhabitant } from '../inhabitant.ts'
import { Adversary, type AdversaryComponents } from './adversary.ts'
import type { Neighbour, Parcel } from './attack.ts'
import { createAttack } from './attacks.ts'
import type { HostilePeers } from './choose.ts'
import { countOf, scheduleOf, type AdversarySpec } from './spec.ts'
import { Wiretap } from './wiretap.ts'

export interface HostilesComponents {
  readonly scenario: Scenario
  readonly topology: Topology
  readonly hostile: HostilePeers
  readonly isAlive: (peer: number) => boolean
  readonly samplesOf: (peer: number) => number
  readonly numberOf: (peer: string) => number
  readonly nameOf: (peer: number) => PeerId
  /** Of a peer that is hostile, or does not exist. */
  readonly signerOf: (peer: PeerId) => Signer
  readonly task: string
  readonly random: Random
}

/** What a body does for a hostile peer besides what it does for everybody. */
export type Helpers = Pick<AdversaryComponents, 'perform' | 'later' | 'litter'>

/** The hostile peers of a world: what they share, and how many of them have lied. */
export class Hostiles {
  readonly #components: HostilesComponents
  readonly #liars = new Set<number>()
  /** What is overheard of honest peers: by all together, and by those who hear their neighbours only. */
  readonly #wiretaps = new Map<number | 'all', Wiretap>()
  /** What hostile peers would say if they were honest. */
  readonly #confided: Wiretap

  constructor(components: HostilesComponents) {
    const { topology, hostile, isAlive } = components
    const honest = topology.neighbours.map((_, peer) => peer).filter((peer) => !hostile.has(peer))
    const liars = [...hostile.keys()].sort((a, b) => a - b)
    this.#components = components
    this.#confided = new Wiretap(() => liars.filter(isAlive))
    if (hostile.size > 0) this.#wiretaps.set('all', new Wiretap(() => honest.filter(isAlive)))
  }

  /** How many of each kind there were meant to be, and how many of them sent a lie. */
  get counts(): FaultCounts {
    const { scenario, hostile } = this.#components
    const counts: FaultCounts = {}
    for (const spec of scenario.adversaries) {
      const { kind } = spec
      const count = (counts[kind] ??= { planned: 0, fired: 0 })
      count.planned += countOf(spec, scenario.peers)
    }
    for (const peer of this.#liars) {
      const { kind } = present(hostile.get(peer), 'the spec of a liar')
      present(counts[kind], `the plan of ${kind}`).fired++
    }
    return counts
  }

  #isHonest(peer: number): boolean {
    return !this.#components.hostile.has(peer)
  }

  /** A message left a peer. */
  overhear(peer: number, parcel: Parcel): void {
    if (parcel instanceof Uint8Array || parcel.kind !== 'update' || !this.#isHonest(peer)) return
    for (const wiretap of this.#wiretaps.values()) wiretap.hear(peer, parcel)
  }

  /** Put whom the scenario wants in the place of an honest inhabitant, who stays if it is honest. */
  inhabit(
    self: number,
    honest: Inhabitant,
    { checkpoint, random }: ParticipantComponents,
    helpers: Helpers
  ): Inhabitant {
    const { scenario, hostile, numberOf, nameOf, signerOf, task } = this.#components
    const spec = hostile.get(self)
    if (spec === undefined) return honest
    const deadlineMs = scenario.exchange.deadlineSeconds * 1_000
    const attack = createAttack(spec, {
      random: random.fork('attack'),
      shared: this.#components.random,
      peers: scenario.peers,
      hostileCount: hostile.size,
      names: () => [...hostile.keys()].sort((a, b) => a - b).map(nameOf),
      signerOf,
      task,
      deadlineMs,
      batchSize: scenario.task.batchSize,
      neighbourhood: (peer) => this.#neighbourhood(peer)
    })
    return new Adversary(
      {
        ...helpers,
        honest,
        checkpoint,
        attack,
        wiretap: this.#wiretapOf(self, spec),
        confide: (truth: Update) => this.#confided.hear(self, truth),
        self,
        numberOf,
        onLie: () => this.#liars.add(self)
      },
      // Others wait so long for a model: half of it leaves time for the way.
      { schedule: scheduleOf(spec), holdMsMax: deadlineMs / 2 }
    )
  }

  #wiretapOf(self: number, spec: AdversarySpec): Wiretap {
    const { topology, isAlive } = this.#components
    const knowledge = 'knowledge' in spec ? spec.knowledge : 'omniscient'
    if (knowledge === 'blind') return this.#confided
    const key = knowledge === 'omniscient' ? 'all' : self
    let wiretap = this.#wiretaps.get(key)
    if (wiretap === undefined) {
      const isHeard = (peer: number): boolean => this.#isHonest(peer) && isAlive(peer)
      wiretap = new Wiretap(() => neighboursOf(topology, self).filter(isHeard))
      this.#wiretaps.set(key, wiretap)
    }
    return wiretap
  }

  #neighbourhood(peer: number): Neighbour[] {
    const { scenario, topology, isAlive, samplesOf } = this.#components
    const degreeOf = (each: number): number => neighboursOf(topology, each).filter(isAlive).length
    const degree = degreeOf(peer)
    const samplesMax = sampleClaimRatioMax * Math.max(samplesOf(peer), 1)
    const weightOf = (other: number): number => {
      switch (scenario.merge.weights) {
        case 'uniform':
          return 1
        case 'samples':
          return Math.min(Math.max(samplesOf(other), 1), samplesMax)
        case 'metropolis':
        case 'age': // as if all models were equally old
          return 1 / (1 + Math.max(degree, degreeOf(other)))
      }
    }
    return neighboursOf(topology, peer)
      .filter(isAlive)
      .map((other) => ({ peer: other, weight: weightOf(other), honest: this.#isHonest(other) }))
  }
}
