import { isPrivateIp } from '@libp2p/utils'
import { StarlingError } from '../../../src/core/errors.ts'
import { reasonOf } from '../../reason.ts'
import type { Forwarder, Lease, Wish } from './forwarder.ts'
import type { Aborted, Gateway, MapOptions, PortMapping, RouterFound } from './gateway.ts'
import { addressTowards } from './own-gateways.ts'

interface Held {
  readonly wish: Wish
  readonly language: Forwarder['language']
  /** By the monotonic clock, in milliseconds. */
  readonly endsAtMs: number
  renewal: NodeJS.Timeout | undefined
}

/** A lease without end is renewed all the same: routers restart. */
const renewalSecondsMax = 3_600
/** Until a renewal that failed is tried again. */
const againSeconds = 60
const preferred = ['NAT-PMP', 'UPnP'] as const

/**
 * One router, in however many languages it is asked: a port is mapped once, in the first in which it
 * is granted. Leases are renewed at half their time and whenever the router may have forgotten them.
 */
export class Router implements Gateway {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly family = 'IPv4'
  readonly #forwarders = new Map<Forwarder['language'], Forwarder>()
  readonly #held = new Map<string, Held>()
  /** Why it is of no use, and why it did not grant a port. */
  #addressProblem: string | null = null
  #mapProblem: string | null = null
  #externalIp: string | undefined
  #isStopped = false

  constructor(first: Forwarder) {
    this.id = first.host
    this.host = first.host
    this.port = first.port
    this.learn(first)
  }

  /** Another way to ask the same router; the newest of each language counts. */
  learn(forwarder: Forwarder): void {
    if (this.#forwarders.get(forwarder.language)?.at === forwarder.at) return
    this.#forwarders.set(forwarder.language, forwarder)
  }

  get found(): RouterFound {
    const nowMs = performance.now()
    const held = [...this.#held.values()].filter(({ endsAtMs }) => endsAtMs > nowMs)
    return {
      host: this.host,
      language: held[0]?.language ?? this.#inOrder[0]?.language ?? 'UPnP',
      ports: [...new Set(held.map(({ wish }) => wish.externalPort))],
      problem: this.#addressProblem ?? this.#mapProblem
    }
  }

  /**
   * Its public address. libp2p asks every half minute, so a router that came back is noticed here.
   * @throws STARLING_UNREACHABLE when it has none, being itself behind a router, or does not answer
   */
  async externalIp(options?: Aborted): Promise<string> {
    try {
      const ip = await this.#first((forwarder) => forwarder.externalIp(options?.signal))
      if (isPrivateIp(ip) !== false) throw this.#failed(`has no public address itself, but ${ip}`)
      const hasRestarted = this.#inOrder.filter((forwarder) => forwarder.hasRestarted()).length > 0
      if (hasRestarted || ip !== this.#externalIp) {
        for (const held of this.#held.values()) void this.#renew(held)
      }
      this.#addressProblem = null
      this.#externalIp = ip
      return ip
    } catch (error) {
      this.#addressProblem = reasonOf(error)
      this.#externalIp = undefined
      throw error
    }
  }

  async map(
    internalPort: number,
    internalHost: string,
    options?: MapOptions
  ): Promise<PortMapping> {
    const externalHost = await this.externalIp(options)
    if ((await addressTowards(this.host)) !== internalHost) {
      throw this.#failed(`cannot reach us at ${internalHost}, which is on another network`)
    }
    const protocol = options?.protocol?.toUpperCase() === 'UDP' ? 'UDP' : 'TCP'
    const externalPort = options?.externalPort ?? internalPort
    const wish: Wish = { protocol, internalHost, internalPort, externalPort }
    try {
      const granted = await this.#first(async (forwarder) => {
        const { language } = forwarder
        return { language, lease: await forwarder.forward(wish, options?.signal) }
      })
      this.#mapProblem = null
      this.#hold(wish, granted.language, granted.lease)
      return { ...wish, externalHost, externalPort: granted.lease.externalPort }
    } catch (error) {
      this.#mapProblem = reasonOf(error)
      throw error
    }
  }

  async *mapAll(internalPort: number, options?: MapOptions): AsyncGenerator<PortMapping> {
    yield await this.map(internalPort, await addressTowards(this.host), options)
  }

  async unmap(internalPort: number, options?: Aborted): Promise<void> {
    const ending = [...this.#held.values()].filter(({ wish }) => wish.internalPort === internalPort)
    await Promise.all(ending.map((held) => this.#release(held, options?.signal)))
  }

  async stop(options?: Aborted): Promise<void> {
    this.#isStopped = true
    const all = [...this.#held.values()]
    await Promise.all(all.map((held) => this.#release(held, options?.signal)))
  }

  get #inOrder(): readonly Forwarder[] {
    return preferred.flatMap((language) => this.#forwarders.get(language) ?? [])
  }

  /** What comes of the first language in which it works; else what was wrong with the last. */
  async #first<T>(ask: (forwarder: Forwarder) => Promise<T>): Promise<T> {
    let failure: unknown
    for (const forwarder of this.#inOrder) {
      try {
        return await ask(forwarder)
      } catch (error) {
        failure = error
      }
    }
    throw failure
  }

  #hold(wish: Wish, language: Forwarder['language'], lease: Lease): void {
    clearTimeout(this.#held.get(keyOf(wish))?.renewal)
    const held: Held = {
      wish: { ...wish, externalPort: lease.externalPort },
      language,
      endsAtMs: performance.now() + 1_000 * lease.lifetimeSeconds,
      renewal: undefined
    }
    this.#held.set(keyOf(wish), held)
    if (this.#isStopped) void this.#release(held)
    else this.#renewAfter(held, Math.min(lease.lifetimeSeconds / 2, renewalSecondsMax))
  }

  #renewAfter(held: Held, seconds: number): void {
    clearTimeout(held.renewal)
    held.renewal = setTimeout(() => void this.#renew(held), 1_000 * seconds).unref()
  }

  async #renew(held: Held): Promise<void> {
    const { wish, language } = held
    const forwarder = this.#forwarders.get(language)
    const isHeld = (): boolean => this.#held.get(keyOf(wish)) === held
    try {
      const lease = await forwarder?.forward(wish)
      if (lease === undefined || !isHeld()) return
      if (lease.externalPort === wish.externalPort) return this.#hold(wish, language, lease)
      // Others know the old port by now: another one is no use to us.
      this.#mapProblem = `it gave port ${wish.externalPort} to somebody else`
      await this.#release({ ...held, wish: { ...wish, externalPort: lease.externalPort } })
    } catch (error) {
      this.#mapProblem = reasonOf(error)
      if (isHeld()) this.#renewAfter(held, againSeconds)
    }
  }

  async #release(held: Held, signal?: AbortSignal): Promise<void> {
    clearTimeout(held.renewal)
    this.#held.delete(keyOf(held.wish))
    // Whoever is gone has nothing to release, and its lease runs out.
    await this.#forwarders
      .get(held.language)
      ?.release(held.wish, signal)
      .catch(() => undefined)
  }

  #failed(why: string): StarlingError {
    return new StarlingError('STARLING_UNREACHABLE', `the router at ${this.host} ${why}`)
  }
}

function keyOf({ protocol, internalPort }: Wish): string {
  return `${protocol} ${internalPort}`
}
