import type { Connection, Libp2pEvents, Startable, TypedEventTarget } from '@libp2p/interface'
import type { ComponentLogger, IdentifyResult } from '@libp2p/interface'
import type { AddressManager } from '@libp2p/interface-internal'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { dialBackPortsMax } from '../../src/core/limits.ts'
import { isPublic, isRelayed } from '../network/addresses.ts'
import { Guard } from '../guarded.ts'
import {
  DialBack,
  dialBackDefaults,
  dialBackProtocol,
  portOf,
  type DialBackComponents,
  type DialBackOptions
} from './dial-back.ts'
import { isWebRtc } from './webrtc.ts'
import { Witnesses } from './witnesses.ts'

export interface ProofsComponents extends DialBackComponents {
  readonly addressManager: AddressManager
  readonly events: TypedEventTarget<Libp2pEvents>
  readonly logger: ComponentLogger
}

export interface ProofsOptions extends DialBackOptions {
  /** Pause before asking again while nobody reaches us, in milliseconds: somebody may open a port. */
  readonly pauseMs: number
  /** The same while somebody does: an address may change. */
  readonly pauseReachedMs: number
  /** How soon a newcomer is asked; by then it has opened its doors, and knows us. In milliseconds. */
  readonly settleMs: number
  /** Whose word is worth anything: by default, that of whoever has a public address. */
  readonly isWitness: (connection: Connection) => boolean
}

export const proofsDefaults: ProofsOptions = {
  ...dialBackDefaults,
  pauseMs: 60_000,
  pauseReachedMs: 300_000,
  settleMs: 300,
  isWitness: ({ remoteAddr }) => isPublic(remoteAddr)
}

/** Peers asked in one round: a liar among three is outvoted. */
const askedAtOnce = 3

/**
 * How we look from outside: asks peers to dial us back, at our own ports and at those that a router
 * maps to us, and tells libp2p which addresses are proved. A node on a public address, or behind a
 * forwarded port, knows so as soon as it has met one peer that answers.
 */
export class Proofs implements Startable {
  readonly #parts: ProofsComponents
  readonly #options: ProofsOptions
  readonly #dialBack: DialBack
  readonly #witnesses = new Witnesses()
  readonly #guard: Guard
  /** Peers that answer, the newest last, and one connection to each. */
  readonly #askable = new Map<string, Connection>()
  /** What we told libp2p is proved, and where it leads; null for addresses that an interface has. */
  readonly #proved = new Map<string, Mapping | null>()
  readonly #onChange = new Set<() => void>()
  #stopListening: (() => void)[] = []
  /** Our addresses when we asked last: a new one may have been opened by the router. */
  #askedAt: readonly string[] = []
  #timer: NodeJS.Timeout | undefined

  constructor(parts: ProofsComponents, options: ProofsOptions) {
    this.#parts = parts
    this.#options = options
    this.#dialBack = new DialBack(parts, options)
    const log = parts.logger.forComponent('starling:proofs')
    this.#guard = new Guard((where, error) => log.error('in %s - %e', where, error))
  }

  /** Addresses at which others have reached us. */
  get reached(): string[] {
    return this.#witnesses.reached(performance.now())
  }

  /** Addresses at which others tried to reach us in vain. */
  get unreachable(): string[] {
    return this.#witnesses.unreachable(performance.now())
  }

  /**
   * Hear of it when others reach us at other addresses than before: libp2p takes a second to tell.
   * @returns stops telling
   */
  onChange(listener: () => void): () => void {
    this.#onChange.add(listener)
    return () => this.#onChange.delete(listener)
  }

  async start(): Promise<void> {
    await this.#dialBack.start()
    const { events } = this.#parts
    this.#stopListening = [
      this.#guard.listen(events, 'peer:identify', ({ detail }: Libp2pEvents['peer:identify']) =>
        this.#identified(detail)
      ),
      this.#guard.listen(events, 'connection:close', ({ detail }: CustomEvent<Connection>) =>
        this.#closed(detail)
      ),
      this.#guard.listen(events, 'self:peer:update', () => {
        if (this.#addresses().join() !== this.#askedAt.join()) this.#askSoon()
      })
    ]
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    for (const stop of this.#stopListening) stop()
    await this.#dialBack.stop()
  }

  #identified({ connection, peerId, protocols }: IdentifyResult): void {
    if (!protocols.includes(dialBackProtocol) || connection.status !== 'open') return
    if (isRelayed(connection.remoteAddr) || connection.limits !== undefined) return
    if (isWebRtc(connection)) return // it does not know where to dial
    // Being dialled back makes another connection, which is no reason to ask again.
    if (this.#askable.has(peerId.toString()) || !this.#options.isWitness(connection)) return
    this.#askable.set(peerId.toString(), connection)
    // Enough are asked already; those who come later are when the others are gone.
    if (this.#askable.size <= askedAtOnce) this.#askSoon()
  }

  #closed({ id, remotePeer }: Connection): void {
    const peer = remotePeer.toString()
    if (this.#askable.get(peer)?.id === id) this.#askable.delete(peer)
  }

  #askSoon(): void {
    this.#askAfter(this.#options.settleMs)
  }

  #askAfter(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(
      this.#guard.wrap('asking to be dialled back', () => this.#ask()),
      ms
    )
    this.#timer.unref()
  }

  async #ask(): Promise<void> {
    this.#askedAt = this.#addresses()
    const before = this.reached.join()
    const ports = this.#ports()
    const asked = [...this.#askable.values()].slice(0, askedAtOnce)
    await Promise.all(asked.map((connection) => this.#askOne(connection, ports)))
    this.#tellLibp2p()
    if (this.reached.join() !== before) for (const tell of this.#onChange) tell()
    const { pauseMs, pauseReachedMs } = this.#options
    this.#askAfter(this.reached.length > 0 ? pauseReachedMs : pauseMs)
  }

  async #askOne(connection: Connection, ports: readonly number[]): Promise<void> {
    for (const port of ports) {
      try {
        const answer = await this.#dialBack.ask(connection, port)
        if (answer === undefined) continue
        const { address, isReached } = answer
        const peer = connection.remotePeer.toString()
        this.#witnesses.note(address.toString(), peer, isReached, performance.now())
      } catch {
        // Whoever does not answer is no witness.
        return
      }
    }
  }

  /** Our own ports, and those of the router that lead to them. */
  #ports(): number[] {
    const ports = this.#addresses().map((text) => portOf(multiaddr(text)) ?? 0)
    const distinct = [...new Set(ports)].filter((port) => port > 0)
    return distinct.sort((a, b) => a - b).slice(0, dialBackPortsMax)
  }

  /** Where we could be reached without a relay. */
  #addresses(): string[] {
    return this.#parts.addressManager
      .getAddressesWithMetadata()
      .filter(({ multiaddr: address }) => !isRelayed(address))
      .map(({ multiaddr: address }) => address.toString())
      .sort()
  }

  /** libp2p announces a public address once it is told that it is proved. */
  #tellLibp2p(): void {
    const { addressManager } = this.#parts
    const reached = new Set(this.reached.filter((text) => isPublic(multiaddr(text))))
    for (const [text, mapping] of this.#proved) {
      if (reached.has(text)) continue
      this.#proved.delete(text)
      if (mapping !== null) addressManager.removePublicAddressMapping(...mapping)
      else addressManager.removeObservedAddr(multiaddr(text))
    }
    for (const text of reached) {
      const address = multiaddr(text)
      if (!this.#proved.has(text)) this.#proved.set(text, this.#map(address))
      addressManager.confirmObservedAddr(address)
    }
  }

  /** A router in between: the outer address stands for one of ours with the same port. */
  #map(outer: Multiaddr): Mapping | null {
    const { addressManager } = this.#parts
    const known = addressManager.getAddressesWithMetadata()
    if (known.some(({ multiaddr: address }) => address.equals(outer))) return null
    const own = known.find(
      ({ multiaddr: address, type }) =>
        type === 'transport' && !isRelayed(address) && portOf(address) === portOf(outer)
    )
    const [inner, external] = [own?.multiaddr, outer].map((address) =>
      address?.getComponents().map(({ value = '' }) => value)
    )
    if (inner === undefined || external === undefined) return null
    const [innerHost = '', innerPort] = inner
    const [outerHost = '', outerPort] = external
    const mapping: Mapping = [innerHost, Number(innerPort), outerHost, Number(outerPort), 'tcp']
    addressManager.addPublicAddressMapping(...mapping)
    return mapping
  }
}

type Mapping = [string, number, string, number, 'tcp']

export function proofs(
  options: Partial<ProofsOptions> = {}
): (components: ProofsComponents) => Proofs {
  return (components) => new Proofs(components, { ...proofsDefaults, ...options })
}
