import type { Connection, StreamHandler, Transport } from '@libp2p/interface'
import type { WebRTCTransportComponents } from '@libp2p/webrtc'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import {
  punchIntervalMsMin,
  punchPeersMax,
  stunServersMax,
  webrtcAtOnceMax
} from '../../src/core/limits.ts'
import { Guard } from '../guarded.ts'
import type { DialBudget } from './dial-budget.ts'
import { forgetOldest } from './forget.ts'
import { firstOf, knock } from './knock.ts'
import { stunPort } from './stun-client.ts'
import type { WebRtcLibrary } from './webrtc-library.ts'

export interface WebRtcOptions {
  readonly library: WebRtcLibrary
  readonly budget: DialBudget
  readonly nowMs: () => number
}

/**
 * Bytes that a stream takes before it asks the sender to wait until all of them have left, when it
 * looks as if none did. At the pace of a peer that is just not too slow (pace.ts) they leave in time;
 * with the library's 2 MiB anybody below 1.6 Mbit/s would be cut off.
 */
const bufferedBytesMax = 128 * 2 ** 10
/**
 * Of one peer, before it stays relayed for a while: on fast lines the library has some attempts end at
 * once, at both ends (2 of 14 within one process), and the next one come about.
 */
const tries = 2
/**
 * Longest time for one try, in milliseconds: those that come about take up to 1.2 s (measured). More
 * than punchIntervalMsMin, before which the other end does not answer again.
 */
const tryMsMax = 6_000

/**
 * A way through two routers over UDP: both ends learn from a helper where the world sees them, tell
 * each other over a relayed connection, and try all of it at once (ICE, RFC 8445).
 *
 * The relayed connection has proved who the other end is, and what it passes on includes the
 * fingerprint of the certificate that the new connection then begins with (RFC 8827, section 6.5):
 * that is all the proof there is, so only such connections are answered on.
 *
 * libp2p itself must not know of this transport: it would dial and announce it unasked.
 */
export class WebRtc {
  readonly #options: WebRtcOptions
  /** Peers with whom an attempt is under way, by us or by them. */
  readonly #running = new Set<string>()
  /** When a peer last asked us. */
  readonly #asked = new Map<string, number>()
  #dial: ((address: Multiaddr, signal: AbortSignal) => Promise<Connection>) | undefined

  constructor(options: WebRtcOptions) {
    this.#options = options
  }

  /** For libp2p's list of transports: it starts and stops it, and dials by another one. */
  readonly transport = (components: WebRTCTransportComponents): Transport => {
    const { peerId, upgrader, transportManager, connectionManager, events, logger } = components
    const self = peerId.toString()
    const log = logger.forComponent('starling:webrtc')
    const guard = new Guard((where, error) => log.error('in %s - %e', where, error))
    const transport = this.#options.library.webRTC({
      dataChannel: { maxBufferedAmount: bufferedBytesMax },
      // Never without a list: the library would ask the servers of big companies.
      rtcConfiguration: () => ({
        iceServers: stunServers(connectionManager.getConnections()).map((urls) => ({ urls }))
      })
    })({
      ...{ peerId, upgrader, transportManager, connectionManager, events, logger },
      registrar: this.#guarded(components.registrar, self, guard)
    })
    this.#dial = (address, signal) => transport.dial(address, { signal, upgrader })
    transport.dialFilter = () => []
    transport.listenFilter = () => []
    return transport
  }

  /**
   * Ask the peer at the other end of a relayed connection for one that passes no relay.
   * @returns one that may still be a phantom (probation.ts); undefined when none came about
   */
  async meet(relayed: Connection): Promise<Connection | undefined> {
    const peer = relayed.remotePeer.toString()
    const dial = this.#dial
    if (dial === undefined || !this.#mayBegin(peer)) return undefined
    this.#running.add(peer)
    const address = addressBy(relayed)
    const { nowMs, budget } = this.#options
    try {
      for (let attempt = 1; attempt <= tries && relayed.status === 'open'; attempt++) {
        const startedMs = nowMs()
        const made = await firstOf([knock(tryMsMax, (signal) => dial(address, signal))])
        if (made !== undefined) return made
        const isRefused = nowMs() - startedMs < punchIntervalMsMin
        if (isRefused || !budget.take()) break
      }
      return undefined
    } finally {
      this.#running.delete(peer)
    }
  }

  #mayBegin(peer: string): boolean {
    if (this.#running.has(peer) || this.#running.size >= webrtcAtOnceMax) return false
    return this.#options.budget.take()
  }

  /** What the library hears of others' requests: it would answer any, and as many as there are. */
  #guarded(
    registrar: WebRTCTransportComponents['registrar'],
    self: string,
    guard: Guard
  ): WebRTCTransportComponents['registrar'] {
    const handle: typeof registrar.handle = (protocol, handler, options) =>
      registrar.handle(protocol, this.#answering(handler, self, guard), {
        ...options,
        maxInboundStreams: 1
      })
    const unhandle: typeof registrar.unhandle = (protocol) => registrar.unhandle(protocol)
    return { handle, unhandle } as typeof registrar
  }

  #answering(handler: StreamHandler, self: string, guard: Guard): StreamHandler {
    return (stream, relayed) => {
      const peer = relayed.remotePeer.toString()
      if (!this.#mayAnswer(relayed, self)) {
        stream.abort(new Error('not now'))
        return
      }
      this.#running.add(peer)
      const over = (): void => void this.#running.delete(peer)
      guard.listen(stream, 'close', over)
      if (stream.status !== 'open') over()
      return handler(stream, relayed)
    }
  }

  #mayAnswer(relayed: Connection, self: string): boolean {
    const peer = relayed.remotePeer.toString()
    const { nowMs } = this.#options
    // The library takes the address's word for who asks; on any other than a relayed one it is ours.
    if (relayed.direct || namedIn(relayed.remoteAddr) !== peer) return false
    if (nowMs() - (this.#asked.get(peer) ?? -Infinity) < punchIntervalMsMin) return false
    this.#asked.delete(peer)
    this.#asked.set(peer, nowMs())
    forgetOldest(this.#asked, punchPeersMax)
    // Both asked: the one with the lower id is answered, as in a punch.
    if (this.#running.has(peer)) return self > peer
    return this.#mayBegin(peer)
  }
}

/** Whether it came about here, at either end. */
export function isWebRtc({ remoteAddr }: Connection): boolean {
  return remoteAddr.getComponents().some(({ name }) => name === 'webrtc')
}

/**
 * Whom to ask how the world sees us: the helpers that our relayed connections pass. They answer STUN,
 * and know our address already.
 */
export function stunServers(connections: readonly Connection[]): string[] {
  const helpers = connections
    .filter(({ direct }) => !direct)
    .map(({ remoteAddr }) => remoteAddr.getComponents()[0])
    .flatMap((host) => {
      if (host?.name === 'ip4') return [`${host.value}`]
      return host?.name === 'ip6' ? [`[${host.value}]`] : []
    })
  return [...new Set(helpers)].slice(0, stunServersMax).map((host) => `stun:${host}:${stunPort}`)
}

/** `<relay>/p2p-circuit/p2p/<peer>`, by WebRTC. */
function addressBy({ remoteAddr, remotePeer }: Connection): Multiaddr {
  const [relay = ''] = remoteAddr.toString().split('/p2p-circuit')
  return multiaddr(`${relay}/p2p-circuit/webrtc/p2p/${remotePeer.toString()}`)
}

function namedIn(address: Multiaddr): string | undefined {
  return address.getComponents().findLast(({ name }) => name === 'p2p')?.value
}
