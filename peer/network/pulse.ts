import type { Connection } from '@libp2p/interface'
import { Circuit } from '@multiformats/multiaddr-matcher'
import type { Guard } from '../guarded.ts'
import { firstOf, knock } from '../nat/knock.ts'
import { isWebRtc } from '../nat/webrtc.ts'
import { dialable } from './addresses.ts'
import { answers } from './answers.ts'
import type { Hearing } from './hearing.ts'
import type { StarlingNode } from './network.ts'

export interface PulseOptions {
  /** Time between two looks, in milliseconds. */
  readonly everyMs: number
  /** For an answer, and for a new connection, in milliseconds. */
  readonly answerMs: number
  /**
   * Over a connection that is dead nothing has come for so long, in milliseconds. Longer than both
   * this and libp2p's connection monitor let pass between two pings.
   */
  readonly silenceMs: number
}

export const pulseDefaults: PulseOptions = {
  everyMs: 10_000,
  answerMs: 5_000,
  silenceMs: 20_000
}

/** Connections that are felt in one look. */
const connectionsAtOnce = 8
/** Silent peers that are dialed anew in one look: when none of them answers, it is we who are offline. */
const witnessesMax = 2

/** A timer may ring so much before its time, in milliseconds. */
const timerEarlyMs = 1

export interface PulseComponents {
  readonly node: StarlingNode
  readonly guard: Guard
  readonly hearing: Pick<Hearing, 'silenceMs'>
  /** Our path has moved: so many connections were given up. */
  readonly onMoved: (dead: number) => void
}

/**
 * Notices that our own address has changed, or that a router has forgotten us: then connections look
 * open and carry nothing, for minutes, because nobody is left to say so.
 *
 * A peer that does not answer may be busy or gone, which is no reason to part from it. One that does
 * not answer on the connection that we have, and does on a new one, if only through a relay, proves
 * that the way in between is another: then each connection has to answer, or is given up, and is made
 * anew by whoever wants it.
 */
export class Pulse {
  readonly #parts: PulseComponents
  readonly #options: PulseOptions
  #timer: NodeJS.Timeout | undefined
  #turn = 0

  constructor(parts: PulseComponents, options: PulseOptions) {
    this.#parts = parts
    this.#options = options
  }

  start(): void {
    const look = this.#parts.guard.wrap('feeling the pulse of connections', async () => {
      try {
        await this.#look()
      } finally {
        if (this.#timer !== undefined) this.#timer = setTimeout(look, this.#options.everyMs)
      }
    })
    this.#timer = setTimeout(look, this.#options.everyMs)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  async #look(): Promise<void> {
    const { onMoved } = this.#parts
    const { answerMs, silenceMs } = this.#options
    const silent = await this.#silent(this.#nextOf(this.#ours().filter(isDirect)), answerMs)
    for (const witness of silent.slice(0, witnessesMax)) {
      const anew = await this.#meetAnew(witness)
      if (anew === undefined) continue
      // Whoever wants a connection makes it anew, from the port that the dead one holds.
      await anew.close()
      const dead = await this.#silent([witness], silenceMs)
      if (dead.length === 0) continue
      const others = this.#ours().filter(({ id }) => id !== witness.id)
      dead.push(...(await this.#silent(others, silenceMs)))
      for (const connection of dead) connection.abort(new Error('it carries nothing any more'))
      onMoved(dead.length)
      return
    }
  }

  /** WebRTC has a pulse of its own (RFC 7675), measured here to end a dead connection after 26 s. */
  #ours(): Connection[] {
    return this.#parts.node.getConnections().filter((connection) => !isWebRtc(connection))
  }

  /** Some at a time, and all of them in turn. */
  #nextOf(connections: readonly Connection[]): Connection[] {
    const turns = Math.max(1, Math.ceil(connections.length / connectionsAtOnce))
    const first = (this.#turn++ % turns) * connectionsAtOnce
    return connections.slice(first, first + connectionsAtOnce)
  }

  /** Where we dialed it, or through one of its relays. */
  async #meetAnew(connection: Connection): Promise<Connection | undefined> {
    const { node } = this.#parts
    const known = await node.peerStore.get(connection.remotePeer).catch(() => undefined)
    const addresses = (known?.addresses ?? []).map(({ multiaddr }) => multiaddr.toString())
    const relayed = dialable(connection.remotePeer.toString(), addresses).filter((address) =>
      Circuit.matches(address)
    )
    const { remoteAddr, direction } = connection
    const targets = direction === 'outbound' ? [[remoteAddr], relayed] : [relayed]
    const knocks = targets
      .filter((target) => target.length > 0)
      .map((target) =>
        knock(this.#options.answerMs, (signal) => node.dial(target, { signal, force: true }))
      )
    const anew = await firstOf(knocks)
    for (const { giveUp } of knocks) giveUp()
    return anew
  }

  /** Of these, which neither answer nor have said anything for so long. Takes the time that this takes. */
  async #silent(connections: readonly Connection[], silenceMs: number): Promise<Connection[]> {
    const { hearing } = this.#parts
    const said = await Promise.all(
      connections.map((connection) => {
        const leftMs = Math.ceil(silenceMs - hearing.silenceMs(connection))
        return answers(connection, Math.max(this.#options.answerMs, leftMs) + timerEarlyMs)
      })
    )
    return connections.filter(
      (connection, index) =>
        connection.status === 'open' &&
        said[index] === false &&
        hearing.silenceMs(connection) >= silenceMs
    )
  }
}

function isDirect({ direct, limits, status }: Connection): boolean {
  return status === 'open' && direct && limits === undefined
}
