import type { Connection, PeerId, Startable, Stream } from '@libp2p/interface'
import type { ConnectionManager, Registrar, TransportManager } from '@libp2p/interface-internal'
import { lpStream } from '@libp2p/utils'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { addressLengthMax, dialBacksMax, dialBacksPerMinuteMax } from '../../src/core/limits.ts'
import { isRelayed } from '../network/addresses.ts'

/**
 * "Can you reach me at this port?" Whoever is asked dials the address at which it sees the asker, and
 * that alone, so nobody can be made to dial anybody else. The dial proves the asker's key.
 *
 *     request   port, 2 bytes, big-endian
 *     answer    verdict, 1 byte; the multiaddr that was dialled
 *
 * Both are length-prefixed. AutoNAT v2 asks the same, but once for each new connection and never
 * again for an address that failed, and not of private addresses; a router whose port is forwarded
 * later on would stay unnoticed, and so would a forwarded port, which no interface of ours has.
 */
export const dialBackProtocol = '/starling/1/dial-back'

const verdicts = { reached: 0, unreachable: 1, refused: 2 } as const

/** What somebody else found out about an address of ours. */
export interface Witnessed {
  readonly address: Multiaddr
  readonly isReached: boolean
}

export interface DialBackComponents {
  readonly registrar: Registrar
  readonly transportManager: TransportManager
  readonly connectionManager: ConnectionManager
  readonly peerId: PeerId
}

export interface DialBackOptions {
  /** Longest time for the dial that was asked for, in milliseconds. */
  readonly dialMsMax: number
  /** Longest time that the asker waits, in milliseconds. */
  readonly answerMsMax: number
}

export const dialBackDefaults: DialBackOptions = { dialMsMax: 4_000, answerMsMax: 8_000 }

const minuteMs = 60_000

/** Answers the question, and asks it. */
export class DialBack implements Startable {
  readonly #parts: DialBackComponents
  readonly #options: DialBackOptions
  readonly #asked = new Map<string, { sinceMs: number; times: number }>()
  #underWay = 0

  constructor(parts: DialBackComponents, options: DialBackOptions) {
    this.#parts = parts
    this.#options = options
  }

  async start(): Promise<void> {
    // What is thrown inside a handler resets its stream and nothing else.
    await this.#parts.registrar.handle(
      dialBackProtocol,
      (stream, connection) => this.#answer(stream, connection),
      { maxInboundStreams: 2 }
    )
  }

  async stop(): Promise<void> {
    await this.#parts.registrar.unhandle(dialBackProtocol)
  }

  /**
   * @param port - one of ours
   * @returns undefined when the other side would not say
   * @throws when it does not answer in time or answers nonsense
   */
  async ask(connection: Connection, port: number): Promise<Witnessed | undefined> {
    const signal = AbortSignal.timeout(this.#options.answerMsMax)
    const stream = await connection.newStream(dialBackProtocol, { signal })
    try {
      const messages = lpStream(stream, { maxDataLength: addressLengthMax })
      await messages.write(Uint8Array.of(port >> 8, port & 0xff), { signal })
      const [verdict, ...bytes] = (await messages.read({ signal })).subarray()
      if (verdict !== verdicts.reached && verdict !== verdicts.unreachable) return undefined
      const address = multiaddr(Uint8Array.from(bytes))
      if (portOf(address) !== port) throw new Error('an answer about another port')
      return { address, isReached: verdict === verdicts.reached }
    } finally {
      void stream.close({ signal }).catch(() => stream.abort(new Error('closing took too long')))
    }
  }

  async #answer(stream: Stream, connection: Connection): Promise<void> {
    const signal = AbortSignal.timeout(this.#options.answerMsMax)
    try {
      const messages = lpStream(stream, { maxDataLength: 2 })
      const [high = 0, low = 0] = (await messages.read({ signal })).subarray()
      const address = seenAt(connection, (high << 8) | low)
      const verdict = address === undefined ? 'refused' : await this.#judge(address, connection)
      await messages.write(Uint8Array.of(verdicts[verdict], ...(address?.bytes ?? [])), { signal })
      await stream.close({ signal })
    } catch (failure) {
      stream.abort(failure instanceof Error ? failure : new Error('closed'))
    }
  }

  async #judge(address: Multiaddr, { remotePeer }: Connection): Promise<keyof typeof verdicts> {
    if (this.#underWay >= dialBacksMax || !this.#mayAsk(remotePeer.toString())) return 'refused'
    this.#underWay++
    try {
      const target = address.encapsulate(`/p2p/${remotePeer.toString()}`)
      const signal = AbortSignal.timeout(this.#options.dialMsMax)
      // Past the connection manager, which would hand us the connection that there is.
      const connection = await this.#parts.transportManager.dial(target, { signal })
      await connection.close({ signal }).catch(() => connection.abort(new Error('dialled back')))
      return 'reached'
    } catch {
      return 'unreachable'
    } finally {
      this.#underWay--
    }
  }

  #mayAsk(peer: string): boolean {
    const nowMs = performance.now()
    for (const [asker, { sinceMs }] of this.#asked) {
      if (nowMs - sinceMs > minuteMs) this.#asked.delete(asker)
    }
    const asked = this.#asked.get(peer) ?? { sinceMs: nowMs, times: 0 }
    asked.times++
    this.#asked.set(peer, asked)
    return asked.times <= dialBacksPerMinuteMax
  }
}

/** The asker's own IP address, as it is connected to us: where we would reach it. */
function seenAt({ remoteAddr, limits }: Connection, port: number): Multiaddr | undefined {
  if (isRelayed(remoteAddr) || limits !== undefined || port === 0) return undefined
  const [host, transport] = remoteAddr.getComponents()
  if ((host?.name !== 'ip4' && host?.name !== 'ip6') || transport?.name !== 'tcp') return undefined
  return multiaddr(`/${host.name}/${host.value}/tcp/${port}`)
}

export function portOf(address: Multiaddr): number | undefined {
  const tcp = address.getComponents().find(({ name }) => name === 'tcp')
  return tcp === undefined ? undefined : Number(tcp.value)
}
