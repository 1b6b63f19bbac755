import type { Connection, PeerId as LibPeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import { Circuit } from '@multiformats/multiaddr-matcher'
import { punchPeersMax } from '../../src/core/limits.ts'
import type { Contact, PeerId } from '../../protocols/messages.ts'
import type { Guard } from '../guarded.ts'
import { dialable } from '../network/addresses.ts'
import type { Connections } from '../network/connections.ts'
import type { StarlingNode } from '../network/network.ts'
import type { Dialer } from './dialer.ts'
import { endpointOf, isPublic } from './endpoint.ts'
import { forgetOldest } from './forget.ts'
import { firstOf, knock, pause, type Knock } from './knock.ts'
import type { Probation } from './probation.ts'
import type { Punch, PunchOutcome } from './punch.ts'
import type { WebRtc } from './webrtc.ts'

export interface LadderOptions {
  /** Longest time for all dials to one peer, in milliseconds. */
  readonly dialMsMax: number
  /** Between the dials of two addresses of one peer, in milliseconds (RFC 8305, section 5). */
  readonly staggerMs: number
  /** The same, of relays: they have to ask the peer before they answer. */
  readonly relayStaggerMs: number
  /** How long the direct addresses are tried before a relay is asked, too, in milliseconds. */
  readonly relayAfterMs: number
  /** How long a peer that can dial us back is waited for, in milliseconds. */
  readonly dialBackMs: number
  /** First pause after an upgrade that failed, in milliseconds; doubles with every further one. */
  readonly retryMs: number
  /** The same after one that never came to dialing: the other end was busy, or the relay hung up. */
  readonly retrySoonMs: number
  readonly retryMsMax: number
}

export const ladderDefaults: LadderOptions = {
  dialMsMax: 10_000,
  staggerMs: 250,
  relayStaggerMs: 2_000,
  relayAfterMs: 500,
  dialBackMs: 1_000,
  retryMs: 30_000,
  retrySoonMs: 5_000,
  retryMsMax: 10 * 60_000
}

type Failed = Exclude<PunchOutcome, { kind: 'through' }>

/** A relayed connection stays relayed, for now. */
export interface LadderEvent {
  readonly kind: 'upgrade-failed'
  readonly peer: PeerId
  /** Of the punch. */
  readonly reason: Failed['reason']
}

/** Refusals that say nothing of what a later punch will come to. */
const comesAgain: ReadonlySet<Failed['reason']> = new Set([
  'busy',
  'too-soon',
  'already-direct',
  'broken'
])

export interface LadderComponents {
  readonly node: StarlingNode
  readonly guard: Guard
  readonly connections: Connections
  readonly nowMs: () => number
  /** Both missing where there are no routers: then libp2p dials. */
  readonly dialer: Dialer | undefined
  readonly punch: Punch | undefined
  /** Missing where the user has not asked for it. */
  readonly webrtc: WebRtc | undefined
  readonly probation: Probation
  readonly onEvent: (event: LadderEvent) => void
}

interface Failures {
  readonly count: number
  readonly notBeforeMs: number
}

/**
 * How a peer is reached, the best way first: one of its own addresses; through a relay, and then the
 * end that can be dialed is dialed back (libp2p's dcutr), or both dial at once (punch.ts), or both try
 * over UDP (webrtc.ts); else it stays relayed.
 *
 * Whoever dialed through the relay sees to the upgrade. It tries again as long as that connection
 * lasts, with ever longer pauses.
 */
export class Ladder {
  readonly #parts: LadderComponents
  readonly #options: LadderOptions
  readonly #upgrades = new Map<PeerId, Promise<void>>()
  readonly #failures = new Map<PeerId, Failures>()
  readonly #retries = new Map<PeerId, NodeJS.Timeout>()
  #stopped = false

  constructor(parts: LadderComponents, options: LadderOptions) {
    this.#parts = parts
    this.#options = options
  }

  /**
   * Try everything for a connection to this peer. Settles when one passes no relay, or when nothing
   * more will come of it for now: what there is, the connections tell.
   */
  async reach({ peer, addresses }: Contact): Promise<void> {
    const { node, dialer, connections } = this.#parts
    const targets = dialable(peer, addresses)
    const id = peerIdFromString(peer)
    const isForLibp2p = dialer === undefined || targets.length === 0 || targets.some(isToBeResolved)
    if (isForLibp2p) {
      // Without an address libp2p looks into its peer store and asks the DHT.
      const signal = AbortSignal.timeout(this.#options.dialMsMax)
      await node.dial(targets.length > 0 ? targets : id, { signal }).catch(() => undefined)
    } else {
      const relayed = targets.filter((target) => Circuit.matches(target))
      const direct = targets.filter((target) => !relayed.includes(target))
      const arrival = this.#dialAll(dialer, id, direct, this.#options.staggerMs)
      await Promise.race([arrival, pause(this.#options.relayAfterMs)])
      const isAlone = connections.to(peer).length === 0
      const climb = isAlone ? this.#climb(dialer, id, relayed) : Promise.resolve()
      const everything = Promise.all([arrival, climb])
      const isThere = () => connections.directTo(peer) !== undefined
      await Promise.race([
        arrival.then(async (connection) => connection ?? (await everything)),
        climb.then(async () => isThere() || (await everything))
      ])
    }
    if (connections.directTo(peer) === undefined) await this.#upgrades.get(peer)
  }

  /** A connection has opened: if it is one that we made through a relay, try for a better one. */
  opened(connection: Connection): void {
    if (connection.direct) {
      this.#failures.delete(connection.remotePeer.toString())
      return
    }
    if (isRelayedByUs(connection)) this.#startUpgrade(connection)
  }

  /** A connection has closed: if all that is left is one through a relay, try again. */
  closed(connection: Connection): void {
    const peer = connection.remotePeer.toString()
    const left = this.#parts.connections.to(peer)
    if (left.length === 0) {
      clearTimeout(this.#retries.get(peer))
      this.#retries.delete(peer)
    }
    const [best] = left
    if (best === undefined || !isRelayedByUs(best)) return
    if (connection.direct) this.#failed(best, this.#options.retryMs)
    else this.#startUpgrade(best)
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#retries.values()) clearTimeout(timer)
  }

  /** By a relay, and from there on. */
  async #climb(dialer: Dialer, peer: LibPeerId, targets: readonly Multiaddr[]): Promise<void> {
    await this.#dialAll(dialer, peer, targets, this.#options.relayStaggerMs)
    await this.#upgrades.get(peer.toString())
  }

  /** One after the other, each a little later; the first that answers puts an end to the others. */
  async #dialAll(
    dialer: Dialer,
    peer: LibPeerId,
    targets: readonly Multiaddr[],
    staggerMs: number
  ): Promise<Connection | undefined> {
    const knocks: Knock<Connection>[] = []
    let arrived: Connection | undefined
    for (const target of targets) {
      knocks.push(knock(this.#options.dialMsMax, (signal) => dialer.dial(peer, target, signal)))
      arrived = (await Promise.race([firstOf(knocks), pause(staggerMs)])) ?? undefined
      if (arrived !== undefined) break
    }
    arrived ??= await firstOf(knocks)
    for (const { giveUp } of knocks) giveUp()
    return arrived
  }

  #startUpgrade(relayed: Connection): void {
    const { punch, guard, nowMs } = this.#parts
    const peer = relayed.remotePeer.toString()
    const notBeforeMs = this.#failures.get(peer)?.notBeforeMs ?? -Infinity
    if (punch === undefined || this.#stopped || this.#upgrades.has(peer)) return
    if (nowMs() < notBeforeMs) {
      this.#retryIn(relayed, notBeforeMs - nowMs())
      return
    }
    const upgrade = this.#upgrade(punch, relayed).finally(() => this.#upgrades.delete(peer))
    this.#upgrades.set(peer, upgrade)
    guard.run('upgrading a relayed connection', () => upgrade)
  }

  async #upgrade(punch: Punch, relayed: Connection): Promise<void> {
    const peer = relayed.remotePeer.toString()
    const { connections, onEvent } = this.#parts
    if (this.#canBeDialed()) await this.#dialedBack(peer)
    if (connections.directTo(peer) !== undefined) return
    let via = relayed
    let outcome = await punch.request(via)
    while (outcome.kind === 'failed' && via.status !== 'open') {
      // libp2p dials, too, and of two connections through one relay it ends one.
      const other = connections.to(peer).find(isRelayedByUs)
      if (other === undefined) break
      via = other
      outcome = await punch.request(via)
    }
    if (outcome.kind === 'through') {
      this.#failures.delete(peer)
    } else if (connections.directTo(peer) === undefined && !(await this.#byWebRtc(via, outcome))) {
      const { reason } = outcome
      onEvent({ kind: 'upgrade-failed', peer, reason })
      const { retryMs, retrySoonMs } = this.#options
      if (reason !== 'unsupported')
        this.#failed(via, comesAgain.has(reason) ? retrySoonMs : retryMs)
    }
  }

  /** @returns whether there is one now that passes no relay */
  async #byWebRtc(relayed: Connection, { reason }: Failed): Promise<boolean> {
    const { webrtc, probation, connections } = this.#parts
    if (webrtc === undefined || comesAgain.has(reason)) return false
    const connection = await webrtc.meet(relayed)
    if (connection !== undefined) await probation.outcome(connection)
    return connections.directTo(relayed.remotePeer.toString()) !== undefined
  }

  /** Whether the other end may find an address of ours that it can dial. */
  #canBeDialed(): boolean {
    return this.#parts.node
      .getMultiaddrs()
      .map((address) => endpointOf(address))
      .some((endpoint) => endpoint !== undefined && isPublic(endpoint))
  }

  async #dialedBack(peer: PeerId): Promise<void> {
    const { node, connections, guard } = this.#parts
    const { promise, resolve } = Promise.withResolvers<void>()
    const stop = guard.listen(node, 'connection:open', () => {
      if (connections.directTo(peer) !== undefined) resolve()
    })
    await Promise.race([promise, pause(this.#options.dialBackMs)]).finally(stop)
  }

  #failed(relayed: Connection, retryMs: number): void {
    const { retryMsMax } = this.#options
    const peer = relayed.remotePeer.toString()
    const count = (this.#failures.get(peer)?.count ?? 0) + 1
    const wholeMs = Math.min(retryMsMax, retryMs * 2 ** (count - 1))
    // Half of it by chance: those whom one relay lost do not all come back at once.
    const pauseMs = wholeMs * (0.5 + Math.random() / 2)
    this.#failures.delete(peer)
    this.#failures.set(peer, { count, notBeforeMs: this.#parts.nowMs() + pauseMs })
    forgetOldest(this.#failures, punchPeersMax)
    this.#retryIn(relayed, pauseMs)
  }

  #retryIn(relayed: Connection, ms: number): void {
    const peer = relayed.remotePeer.toString()
    if (this.#stopped) return
    clearTimeout(this.#retries.get(peer))
    const retry = this.#parts.guard.wrap('upgrading a relayed connection again', () => {
      this.#retries.delete(peer)
      const isLeft = relayed.status === 'open'
      if (isLeft && this.#parts.connections.directTo(peer) === undefined)
        this.#startUpgrade(relayed)
    })
    this.#retries.set(peer, setTimeout(retry, ms))
  }
}

/** Whoever dialed through the relay sees to the upgrade. */
function isRelayedByUs({ direct, direction }: Connection): boolean {
  return !direct && direction === 'outbound'
}

/** libp2p looks names up, and judges what they lead to, before it dials. */
function isToBeResolved(target: Multiaddr): boolean {
  return target.getComponents().some(({ name }) => name.startsWith('dns'))
}
