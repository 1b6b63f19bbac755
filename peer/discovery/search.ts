import type { Contact, PeerId } from '../../protocols/messages.ts'
import type { ParticipantEvent } from '../../protocols/participant-io.ts'
import { framesProtocol } from '../frames.ts'
import type { Guard } from '../guarded.ts'
import type { PeerAddress } from '../network/addresses.ts'
import type { StarlingNode } from '../network/network.ts'
import { Announcer, type Announcement, type GossipManners, type Heard } from './announcements.ts'
import { Bootstraps, type BootstrapEvent, type BootstrapOptions } from './bootstrap.ts'
import { earlierPeers } from './earlier.ts'
import { LanContacts } from './lan.ts'
import { Providers, type ProvidersOptions } from './providers.ts'

export interface SearchOptions {
  /** Looks for peers of earlier runs, too. */
  readonly remembers: boolean
  readonly bootstraps: readonly PeerAddress[]
  readonly bootstrap: BootstrapOptions
  readonly providers: ProvidersOptions
  /** Longest time for a dial, in milliseconds. */
  readonly dialDeadlineMs: number
}

export interface SearchComponents {
  readonly node: StarlingNode
  readonly guard: Guard
  readonly nowMs: () => number
  readonly manners: GossipManners
  readonly isConnected: (peer: PeerId) => boolean
  /** Our own addresses, as they are told to others. */
  readonly addresses: () => readonly string[]
  /** Peers that the participant may want to know. */
  readonly onContacts: (contacts: readonly Contact[]) => void
  readonly onEvent: (event: BootstrapEvent) => void
}

/**
 * Every way to find peers and to be found: bootstraps, peers of earlier runs, the local network, who
 * provides our task in the DHT, and gossip about who works on what.
 */
export class Search {
  readonly #parts: SearchComponents
  readonly #options: SearchOptions
  readonly #self: PeerId
  readonly #announcer: Announcer | undefined
  readonly #providers: Providers
  readonly #bootstraps: Bootstraps
  #stopLan: (() => void) | undefined
  #progress: Omit<Announcement, 'addresses'> | undefined

  constructor(parts: SearchComponents, options: SearchOptions) {
    const { node, guard, nowMs, manners, onContacts, isConnected, onEvent } = parts
    this.#parts = parts
    this.#options = options
    this.#self = node.peerId.toString()
    const shared = { self: this.#self, guard, nowMs }
    const { pubsub } = node.services
    const onContact = (contact: Contact) => onContacts([contact])
    this.#announcer = pubsub && new Announcer({ ...shared, manners, pubsub, onContact })
    const routing = node.contentRouting
    this.#providers = new Providers({ ...shared, routing, onContacts }, options.providers)
    const dial = async ({ address }: PeerAddress) => {
      await node.dial(address, { signal: AbortSignal.timeout(options.dialDeadlineMs) })
    }
    this.#bootstraps = new Bootstraps(
      options.bootstraps.filter(({ peer }) => peer !== this.#self),
      { ...shared, dial, isConnected, onEvent },
      options.bootstrap
    )
  }

  /** What other peers last announced. */
  get heard(): readonly Heard[] {
    return this.#announcer?.heard ?? []
  }

  /** Hear of peers on the local network, from the network's start on. */
  listen(): void {
    const { node, guard, nowMs, onContacts } = this.#parts
    const contacts = new LanContacts(this.#self, nowMs)
    this.#stopLan = node.services.lan?.listen(guard, (found) => {
      const contact = contacts.contactOf(found)
      if (contact !== undefined) onContacts([contact])
    })
  }

  /** The network has started. */
  start(): void {
    this.#bootstraps.start()
    if (!this.#options.remembers) return
    const { node, guard, onContacts } = this.#parts
    guard.run('remembering peers', async () => {
      const contacts = await earlierPeers(node.peerStore, this.#self, framesProtocol)
      if (contacts.length > 0) onContacts(contacts)
    })
  }

  stop(): void {
    this.#stopLan?.()
    this.#bootstraps.stop()
    this.#providers.stop()
    this.#announcer?.stop()
  }

  /** Look for those who work on this task, and be found by them. */
  join(task: string): void {
    this.#progress = { task, round: 0, steps: 0, loss: null, accuracy: null }
    this.#announcer?.join(task)
    this.#providers.join(task)
  }

  /** There is no connection to this peer any more. */
  peerGone(peer: PeerId): void {
    this.#bootstraps.peerDown(peer)
  }

  /** Begin with this one, too. */
  addBootstrap(bootstrap: PeerAddress): void {
    if (bootstrap.peer !== this.#self) this.#bootstraps.add(bootstrap)
  }

  removeBootstrap(bootstrap: PeerAddress): void {
    this.#bootstraps.remove(bootstrap)
  }

  /** How many steps our model has taken is told with the next announcement. */
  noteSteps(steps: number): void {
    if (this.#progress !== undefined) this.#progress = { ...this.#progress, steps }
  }

  /** Tell others how far we are, when this event says so. */
  announce(event: ParticipantEvent): void {
    if (this.#progress === undefined) return
    if (event.kind === 'trained') {
      this.#progress = { ...this.#progress, loss: finiteOrNull(event.loss) }
    } else if (event.kind === 'round-finished') {
      this.#progress = { ...this.#progress, round: event.round }
    } else if (event.kind === 'evaluated') {
      this.#progress = { ...this.#progress, accuracy: finiteOrNull(event.evaluation.accuracy) }
    } else {
      return
    }
    this.#announcer?.announce({ ...this.#progress, addresses: [...this.#parts.addresses()] })
  }
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null
}
