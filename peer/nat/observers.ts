import type { Multiaddr } from '@multiformats/multiaddr'
import { candidatesMax, observersMax } from '../../src/core/limits.ts'
import { addressOf, endpointOf, isPublic, type Endpoint } from './endpoint.ts'
import { forgetOldest } from './forget.ts'

/**
 * What the router in front of us does to the port that we dial from (RFC 4787, section 4.1):
 * `none`: others see an address of this machine itself; `stable`: everybody sees the same one, so a
 * peer can be told where to knock; `changing`: each sees another one (a "symmetric" NAT).
 */
export type Mapping = 'unknown' | 'none' | 'stable' | 'changing'

export interface ObserversComponents {
  /** The port that all our dials leave from. */
  readonly dialPort: number
  /** IP addresses of this machine's own interfaces, as they are now. */
  readonly ownIps: () => readonly string[]
  /** Whose word counts, and for which addresses: public ones, by default. */
  readonly isBelievable?: (endpoint: Endpoint) => boolean
}

interface Sighting {
  /** IP address or name of the far end. */
  readonly observer: string
  readonly seen: Endpoint
}

/** As seen over one version of IP. */
export interface Outside {
  readonly mapping: Mapping
  /** Where we are seen; undefined when nobody said or when they do not agree. */
  readonly external: Endpoint | undefined
  /** From one connection to the next, the router's ports rise by this much; null when they do not. */
  readonly portStep: number | null
}

/** Ports further apart than this are no sequence: other connections of the household lie between. */
const portStepMax = 16

/**
 * Our address as the far ends of our outbound connections see it.
 *
 * What they say is a claim. One IP address has one voice, its newest; an address counts as ours when
 * more than half of the voices name it. So one liar among several decides nothing; a liar who is our
 * only observer can make us announce a wrong address, at which nobody answers.
 */
export class Observers {
  readonly #parts: ObserversComponents
  /** By connection, the newest last. */
  readonly #sightings = new Map<string, Sighting>()

  constructor(parts: ObserversComponents) {
    this.#parts = parts
  }

  /**
   * The far end of an outbound connection said where it sees us.
   * @param connection - its id
   * @param remote - the address that we dialed
   * @param observed - our end, as it says
   */
  saw(connection: string, remote: Multiaddr, observed: Multiaddr): void {
    const isBelievable = this.#parts.isBelievable ?? isPublic
    const [farEnd, seen] = [endpointOf(remote), endpointOf(observed)]
    if (seen === undefined || !isBelievable(seen)) return
    // Where a name leads to is not known here; whoever sees a public address of ours is not next door.
    if (farEnd !== undefined && !isBelievable(farEnd)) return
    const observer = farEnd?.ip ?? remote.getComponents()[0]?.value
    if (observer === undefined) return
    this.#sightings.delete(connection)
    this.#sightings.set(connection, { observer, seen })
    forgetOldest(this.#sightings, observersMax)
  }

  /** That connection is gone, and with it what the router kept for it. */
  forget(connection: string): void {
    this.#sightings.delete(connection)
  }

  outside(family: Endpoint['family']): Outside {
    const voices = this.#voices(family)
    const newest = voices.at(-1)
    if (newest === undefined) return { mapping: 'unknown', external: undefined, portStep: null }
    const external = agreed(voices)
    if (external === undefined) {
      return { mapping: 'changing', external, portStep: portStep(voices) }
    }
    const isOurs = this.#parts.ownIps().includes(external.ip)
    // A router that gives every connection a port of its own would hardly hit upon ours.
    const isKept = voices.length > 1 || external.port === this.#parts.dialPort
    return {
      mapping: isOurs ? 'none' : isKept ? 'stable' : 'unknown',
      external,
      portStep: null
    }
  }

  /** The better of what is known over IPv4 and over IPv6. */
  get mapping(): Mapping {
    const order: readonly Mapping[] = ['none', 'stable', 'changing', 'unknown']
    const mappings = [this.outside('ip4').mapping, this.outside('ip6').mapping]
    return order.find((mapping) => mappings.includes(mapping)) ?? 'unknown'
  }

  /** Where others see us, the better mapping first. */
  get external(): readonly string[] {
    const outsides = [this.outside('ip4'), this.outside('ip6')]
    return outsides.flatMap(({ external }) => (external === undefined ? [] : addressOf(external)))
  }

  /**
   * Where a peer that knocks at the same moment as we do may hope to meet us; at most candidatesMax.
   * @param listenPorts - where we listen: without a router in front they may be open
   */
  candidates(listenPorts: readonly number[]): readonly Endpoint[] {
    const lists = (['ip4', 'ip6'] as const).map((family) => {
      const { mapping, external, portStep } = this.outside(family)
      if (external === undefined) return this.#predicted(family, portStep)
      const open = mapping === 'none' ? listenPorts.map((port) => ({ ...external, port })) : []
      return [external, ...open]
    })
    // One of each version first: with room for four, neither may push the other out.
    const [four = [], six = []] = lists
    const longest = Math.max(four.length, six.length)
    const woven = Array.from({ length: longest }, (_, index) => [four[index], six[index]])
    return woven
      .flat()
      .filter((endpoint) => endpoint !== undefined)
      .slice(0, candidatesMax)
  }

  #voices(family: Endpoint['family']): Sighting[] {
    const newest = new Map<string, Sighting>()
    for (const sighting of this.#sightings.values()) {
      if (sighting.seen.family !== family) continue
      newest.delete(sighting.observer)
      newest.set(sighting.observer, sighting)
    }
    return [...newest.values()]
  }

  /** The next ports of a router that hands them out in order. */
  #predicted(family: Endpoint['family'], step: number | null): Endpoint[] {
    const newest = this.#voices(family).at(-1)
    if (step === null || newest === undefined) return []
    return Array.from({ length: candidatesMax }, (_, index) => ({
      ...newest.seen,
      port: newest.seen.port + step * (index + 1)
    })).filter(({ port }) => port >= 1024 && port <= 65_535)
  }
}

/** What more than half of the voices name. */
function agreed(voices: readonly Sighting[]): Endpoint | undefined {
  const counts = new Map<string, number>()
  for (const { seen } of voices) {
    const name = addressOf(seen)
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    if (count * 2 > voices.length) return seen
  }
  return undefined
}

/** The step between the ports that one address was seen with, if there is a pattern. */
function portStep(voices: readonly Sighting[]): number | null {
  const ports = voices.map(({ seen }) => seen.port)
  const steps = ports.slice(1).map((port, index) => port - (ports[index] ?? port))
  const isOneAddress = new Set(voices.map(({ seen }) => seen.ip)).size === 1
  const isSequence =
    steps.every((step) => step > 0 && step <= portStepMax) ||
    steps.every((step) => step < 0 && step >= -portStepMax)
  if (!isOneAddress || !isSequence) return null
  return steps.reduce((least, step) => (Math.abs(step) < Math.abs(least) ? step : least))
}
