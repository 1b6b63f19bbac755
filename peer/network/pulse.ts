import type { Connection } from '@libp2p/interface'
import type { Guard } from '../guarded.ts'
import { answers } from './answers.ts'
import type { StarlingNode } from './network.ts'

export interface PulseOptions {
  /** Time between two looks, in milliseconds. */
  readonly everyMs: number
  /** For an answer, and for a new connection, in milliseconds. */
  readonly answerMs: number
}

export const pulseDefaults: PulseOptions = { everyMs: 10_000, answerMs: 5_000 }

export interface PulseComponents {
  readonly node: StarlingNode
  readonly guard: Guard
  /** Our path has moved: so many connections were given up. */
  readonly onMoved: (dead: number) => void
}

/**
 * Notices that our own address has changed, or that a router has forgotten us: then connections look
 * open and carry nothing, for minutes, because nobody is left to say so.
 *
 * A peer that does not answer may be busy or gone, which is no reason to part from it. One that does
 * not answer on the connection that we have, and does on a new one, proves that the way in between is
 * another: then each connection has to answer, or is given up, and is made anew by whoever wants it.
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
    const look = this.#parts.guard.wrap('feeling the pulse of a connection', async () => {
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
    const { node, onMoved } = this.#parts
    // Of a connection that we dialed we know an address that can be dialed again; one after another.
    const dialed = node.getConnections().filter(isDialed)
    const witness = dialed[this.#turn++ % Math.max(dialed.length, 1)]
    if (witness === undefined || (await this.#answers(witness))) return
    const anew = await this.#dialAnew(witness)
    if (anew === undefined) return
    if (await this.#answers(witness)) return anew.close()
    const others = node.getConnections().filter(({ id }) => id !== witness.id && id !== anew.id)
    const answers = await Promise.all(others.map((connection) => this.#answers(connection)))
    const dead = [witness, ...others.filter((_, i) => answers[i] === false)]
    for (const connection of dead) connection.abort(new Error('it carries nothing any more'))
    // The old one held the port that our dials leave from: whoever wants a connection makes it from there.
    await anew.close()
    onMoved(dead.length)
  }

  #dialAnew({ remoteAddr }: Connection): Promise<Connection | undefined> {
    const signal = AbortSignal.timeout(this.#options.answerMs)
    return this.#parts.node.dial(remoteAddr, { signal, force: true }).catch(() => undefined)
  }

  async #answers(connection: Connection): Promise<boolean> {
    // The end of one that is not open has been told already.
    return connection.status !== 'open' || (await answers(connection, this.#options.answerMs))
  }
}

/** A punched connection was dialed as well, at a port where nobody listens: its peer is met again by other means. */
function isDialed({ direction, direct, limits, status }: Connection): boolean {
  return status === 'open' && direction === 'outbound' && direct && limits === undefined
}
