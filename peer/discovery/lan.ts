import { networkInterfaces } from 'node:os'
import type { ComponentLogger, PeerDiscovery, PeerId, PeerInfo } from '@libp2p/interface'
import type { AddressManager } from '@libp2p/interface-internal'
import { mdns } from '@libp2p/mdns'
import { lanPeersPerMinuteMax } from '../../src/core/limits.ts'
import type { Contact } from '../../protocols/messages.ts'
import type { Guard } from '../guarded.ts'
import { tellable } from '../network/addresses.ts'

/**
 * Peers of the same local network find each other by multicast DNS, with nobody's help.
 *
 * It is a service of our libp2p, but not one of its discoveries: those write down whomever anybody
 * on the network announces, and everybody may announce thousands.
 */
export interface Lan {
  start(): Promise<void>
  stop(): Promise<void>
  /** @returns stops listening */
  listen(guard: Guard, listener: (found: PeerInfo) => void): () => void
}

/** Ours alone: nodes of other libp2p networks are no peers of anybody here. */
const serviceTag = '_starling._udp.local'

export interface LanComponents {
  readonly peerId: PeerId
  readonly addressManager: AddressManager
  readonly logger: ComponentLogger
}

export function lan(): (components: LanComponents) => Lan {
  return (components) => {
    const found = mdns({ serviceTag })(components) as PeerDiscovery & {
      start(): Promise<void>
      stop(): Promise<void>
    }
    return {
      start: () => found.start(),
      stop: () => found.stop(),
      listen: (guard, listener) =>
        guard.listen(found, 'peer', ({ detail }: CustomEvent<PeerInfo>) => listener(detail))
    }
  }
}

/** Whether there is a local network to speak to: neighbours, and an address that they can reach. */
export function isOnLan(listen: readonly string[]): boolean {
  const hasNeighbours = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .some(({ internal }) => !internal)
  const isReachable = listen.some((address) => !/^\/(ip4\/127\.|ip6\/::1\/|memory\/)/.test(address))
  return hasNeighbours && isReachable
}

/** What of a flood of announcements is passed on: so many new peers a minute, and no peer twice in one. */
export class LanContacts {
  readonly #self: string
  readonly #nowMs: () => number
  readonly #heard = new Set<string>()
  #sinceMs = -Infinity

  constructor(self: string, nowMs: () => number) {
    this.#self = self
    this.#nowMs = nowMs
  }

  /** @returns undefined for one that is left out */
  contactOf({ id, multiaddrs }: PeerInfo): Contact | undefined {
    const nowMs = this.#nowMs()
    if (nowMs - this.#sinceMs >= minuteMs) {
      this.#sinceMs = nowMs
      this.#heard.clear()
    }
    const peer = id.toString()
    if (peer === this.#self || this.#heard.has(peer)) return undefined
    if (this.#heard.size >= lanPeersPerMinuteMax) return undefined
    this.#heard.add(peer)
    return { peer, addresses: tellable(multiaddrs) }
  }
}

const minuteMs = 60_000
