import { describe, expect, it } from 'vitest'
import { participant, type Participant } from '../../../protocols/participant.ts'
import { chooseAdversaries } from '../../../sim/adversaries/choose.ts'
import type { Wall } from '../../../sim/faults/stricken.ts'
import { parseScenario } from '../../../sim/scenario.ts'
import { topologyOf, World } from '../../../sim/world.ts'
import { contactsPerTellerMax } from '../../../src/core/limits.ts'
import { present } from '../../../src/core/assert.ts'
import { Random } from '../../../src/core/random.ts'
import { bowls } from '../worlds.ts'

/** Peers that find each other, and what each of them believes of the others. */
class Swarm {
  readonly names: readonly string[]
  readonly #world: World
  readonly #machines = new Map<string, Participant>()
  readonly #events: { readonly kind: string; readonly peer?: string; readonly reason?: string }[] =
    []
  #nowMs = 0

  private constructor(create: (swarm: Swarm) => World, peers: number) {
    this.names = Array.from({ length: peers }, (_, peer) => nameOf(peer))
    this.#world = create(this)
    this.#world.begin()
  }

  static async of(peers: number, lines = ''): Promise<Swarm> {
    const { arms } = parseScenario(`name: records
question: Do all know of all?
peers: ${peers}
topology: { kind: sampled, degree: 6, bootstraps: 2 }
merge: { rule: average }
exchange: { mode: gossip, intervalSeconds: 20 }
durationSeconds: 5000
evaluateEveryRounds: 1000
${lines}`)
    const { scenario } = present(arms[0], 'the only arm')
    const random = new Random(1)
    const topology = topologyOf(scenario, random)
    const { task, trainer } = await bowls(scenario, topology, random)
    const hostile = chooseAdversaries(scenario, topology, random)
    return new Swarm(
      (swarm) =>
        new World({
          scenario,
          random,
          task,
          trainer,
          topology,
          hostile,
          onEvent: (line) => swarm.#note(line),
          createInhabitant(components) {
            const options = { saveEveryRounds: 0, evaluateEveryRounds: 0, degree: 6 }
            const machine = participant({ ...options, version: '0.0.1' })(components)
            swarm.#machines.set(components.self, machine)
            return machine
          }
        }),
      peers
    )
  }

  #note(line: string): void {
    const { virtualMs, source, what } = JSON.parse(line) as {
      virtualMs: number
      source: string
      what: { kind: string }
    }
    this.#nowMs = virtualMs
    if (source === 'event') this.#events.push(what)
  }

  async until(second: number): Promise<void> {
    while (this.#nowMs < second * 1_000 && (await this.#world.step()));
  }

  /** Seconds until this holds, looked at every five; no more than so many. */
  async secondsUntil(holds: () => boolean, secondsMax: number): Promise<number> {
    const begin = this.#nowMs / 1_000
    while (!holds() && this.#nowMs / 1_000 - begin < secondsMax) {
      await this.until(this.#nowMs / 1_000 + 5)
    }
    return Math.ceil(this.#nowMs / 1_000 - begin)
  }

  get world(): World {
    return this.#world
  }

  machine(peer: string): Participant {
    return present(this.#machines.get(peer), peer)
  }

  /** Whom it believes to be there, besides itself. */
  known(peer: string): string[] {
    return this.machine(peer)
      .snapshot()
      .swarm.map((member) => member.peer)
  }

  /** All of them know of exactly these. */
  agree(peers: readonly string[]): boolean {
    return peers.every((peer) => {
      const known = new Set(this.known(peer))
      return (
        known.size === peers.length - 1 &&
        peers.every((other) => other === peer || known.has(other))
      )
    })
  }

  rejected(reason: string): readonly string[] {
    return this.#events
      .filter((event) => event.kind === 'rejected' && event.reason === reason)
      .map(({ peer = '' }) => peer)
  }

  banned(): readonly string[] {
    return this.#events.filter(({ kind }) => kind === 'banned').map(({ peer = '' }) => peer)
  }
}

function nameOf(peer: number): string {
  return `peer-${String(peer).padStart(3, '0')}`
}

const halves: Wall = {
  facts: {},
  direction: 'both',
  separates: (a, b) => a % 2 !== b % 2,
  felt: () => undefined
}

describe('what a hundred peers know of each other', () => {
  it('is the same with all of them within three minutes, and how far each was five minutes ago', async () => {
    const swarm = await Swarm.of(100)
    const seconds = await swarm.secondsUntil(() => swarm.agree(swarm.names), 600)
    expect(seconds).toBeLessThanOrEqual(180)

    await swarm.until(200)
    const rounds = swarm.names.map((peer) => swarm.machine(peer).snapshot().round)
    await swarm.until(500)
    for (const peer of swarm.names) {
      for (const { peer: other, round, version, heardSecondsAgo } of swarm.machine(peer).snapshot()
        .swarm) {
        expect(round).toBeGreaterThanOrEqual(rounds[Number(other.slice(5))] ?? Infinity)
        expect(version).toBe('0.0.1')
        expect(heardSecondsAgo).toBeLessThan(300)
      }
    }
  }, 60_000)

  it('is forgotten of the dead, and nobody else, within a quarter of an hour', async () => {
    const swarm = await Swarm.of(40)
    await swarm.until(120)
    for (let peer = 0; peer < 10; peer++) swarm.world.crash(peer)
    const living = swarm.names.slice(10)
    const seconds = await swarm.secondsUntil(() => swarm.agree(living), 2_000)
    expect(seconds).toBeGreaterThan(14 * 60)
    expect(seconds).toBeLessThanOrEqual(16 * 60)
  }, 60_000)

  it('is of one swarm again minutes after a wall between two halves fell', async () => {
    const swarm = await Swarm.of(40)
    await swarm.until(60)
    swarm.world.part(halves)
    await swarm.until(60 + 20 * 60)
    const even = swarm.names.filter((_, peer) => peer % 2 === 0)
    expect(swarm.agree(even)).toBe(true) // by now the others are given up for dead
    swarm.world.heal(halves)
    const seconds = await swarm.secondsUntil(() => swarm.agree(swarm.names), 1_200)
    expect(seconds).toBeLessThanOrEqual(600)
  }, 60_000)

  it('is of its new life, when one comes back that remembers nothing of how far its record was', async () => {
    const swarm = await Swarm.of(20)
    await swarm.until(300)
    swarm.world.crash(7)
    await swarm.until(310)
    swarm.world.restart(7, 'lost')
    await swarm.until(400)
    const round = swarm.machine('peer-007').snapshot().round
    await swarm.until(600)
    for (const peer of swarm.names.filter((name) => name !== 'peer-007')) {
      const reborn = swarm
        .machine(peer)
        .snapshot()
        .swarm.find((member) => member.peer === 'peer-007')
      expect(reborn?.round).toBeGreaterThanOrEqual(round)
      expect(reborn?.heardSecondsAgo).toBeLessThan(180)
    }
  }, 60_000)
})

describe('one who spoils what peers know of each other', () => {
  const liar = (what: string): string =>
    `adversaries: [{ kind: records, what: ${what}, select: [5] }]`
  const honest = (swarm: Swarm): string[] => swarm.names.filter((_, peer) => peer !== 5)

  it('by a thousand peers of its own makes nobody forget those who are there', async () => {
    const swarm = await Swarm.of(24, liar('made-up'))
    await swarm.until(300)
    for (const peer of honest(swarm)) {
      const known = swarm.known(peer)
      expect(known).toEqual(expect.arrayContaining(honest(swarm).filter((other) => other !== peer)))
    }
    const book = swarm.machine('peer-010').snapshot()
    expect(book.swarm.length).toBeGreaterThan(23 + contactsPerTellerMax / 2) // it was tried
    expect(swarm.banned()).toEqual([])
  }, 60_000)

  it('by old records brings nobody back', async () => {
    const swarm = await Swarm.of(20, liar('old'))
    await swarm.until(120)
    for (const peer of [10, 11, 12]) swarm.world.crash(peer)
    const living = swarm.names.filter((_, peer) => ![10, 11, 12].includes(peer))
    expect(await swarm.secondsUntil(() => swarm.agree(living), 1_500)).toBeLessThanOrEqual(16 * 60)
    expect(swarm.banned()).toEqual([])
  }, 60_000)

  it('by forged records is banned by whoever meets it, and believed by nobody', async () => {
    const swarm = await Swarm.of(20, liar('forged'))
    await swarm.until(900)
    expect(new Set(swarm.rejected('forged'))).toEqual(new Set(['peer-005']))
    expect(new Set(swarm.banned())).toEqual(new Set(['peer-005']))
    for (const peer of honest(swarm)) {
      const known = swarm.known(peer)
      expect(known).toEqual(expect.arrayContaining(honest(swarm).filter((other) => other !== peer)))
    }
  }, 60_000)
})
