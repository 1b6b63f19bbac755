import { Buckets } from './bucket.ts'
import type { RelayLimits } from './limits.ts'
import type { Place } from '../network/place.ts'
import type { Refusal } from './refusals.ts'

/** Unfinished handshakes of all. A silent socket holds one until the deadline. */
const handshakesMax = 512
/** Of one host, so that nobody shuts others out by being silent: it takes 32 hosts in 8 subnets. */
const handshakesPerIpMax = 16
const handshakesPerSubnetMax = 64
/** New connections of one host, a second and at once: a lab restarts, a flood is turned away. */
const newPerSecondMax = 10
const newAtOnceMax = 64
/** Hosts whose pace is remembered. */
const hostsMax = 8192

/** Somebody who was let in. */
export interface Visit {
  readonly place: Place
  /** The handshake is done: it is known who it is. */
  settle(): void
  leave(): void
}

/** Says who may connect, by counting who is there. No clocks, no sockets. */
export class Gate {
  readonly #limits: RelayLimits
  readonly #connections = new Places()
  readonly #handshakes = new Places()
  readonly #pace = new Buckets(newPerSecondMax, newAtOnceMax, hostsMax)

  constructor(limits: RelayLimits) {
    this.#limits = limits
  }

  /** Connections from others, unfinished ones included. */
  get connections(): number {
    return this.#connections.size
  }

  get handshakes(): number {
    return this.#handshakes.size
  }

  /** The cheapest reasons to refuse come first. */
  enter(place: Place | undefined, memoryBytes: number, nowMs: number): Visit | Refusal {
    if (place === undefined) return 'no-ip'
    const { connections, perIp, perSubnet } = this.#limits
    if (!this.#pace.tryTake(place.host, nowMs)) return 'too-fast'
    if (this.#connections.ofHost(place) >= perIp) return 'connections-per-ip'
    if (this.#connections.ofSubnet(place) >= perSubnet) return 'connections-per-subnet'
    if (this.#handshakes.ofHost(place) >= handshakesPerIpMax) return 'handshakes'
    if (this.#handshakes.ofSubnet(place) >= handshakesPerSubnetMax) return 'handshakes'
    if (this.#handshakes.size >= handshakesMax) return 'handshakes'
    if (this.#connections.size >= connections) return 'connections'
    if (memoryBytes > this.#limits.memoryBytes) return 'memory'
    return this.#letIn(place)
  }

  #letIn(place: Place): Visit {
    this.#connections.add(place)
    this.#handshakes.add(place)
    let isSettled = false
    let isGone = false
    const settle = (): void => {
      if (isSettled) return
      isSettled = true
      this.#handshakes.remove(place)
    }
    const leave = (): void => {
      settle()
      if (isGone) return
      isGone = true
      this.#connections.remove(place)
    }
    return { place, settle, leave }
  }
}

/** How many are where. */
export class Places {
  readonly #counts = new Map<string, number>()
  #size = 0

  get size(): number {
    return this.#size
  }

  ofHost({ host }: Place): number {
    return this.#counts.get(host) ?? 0
  }

  ofSubnet({ subnet }: Place): number {
    return this.#counts.get(subnet) ?? 0
  }

  add(place: Place): void {
    this.#size++
    this.#change(place, 1)
  }

  remove(place: Place): void {
    this.#size--
    this.#change(place, -1)
  }

  #change({ host, subnet }: Place, by: 1 | -1): void {
    for (const key of [host, subnet]) {
      const count = (this.#counts.get(key) ?? 0) + by
      if (count === 0) this.#counts.delete(key)
      else this.#counts.set(key, count)
    }
  }
}
