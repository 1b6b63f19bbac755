import type { Connection, MultiaddrConnection } from '@libp2p/interface'

/** A connection before and after libp2p has put streams on it: the same object is in both. */
type Either = Pick<Connection | MultiaddrConnection, 'timeline'>

/**
 * When a byte last came over each connection, be it a part of a message: what is slow is not dead.
 */
export class Hearing {
  readonly #lastMs = new WeakMap<Either['timeline'], number>()
  readonly #nowMs: () => number

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** @param connection - that is about to be used */
  listenTo(connection: MultiaddrConnection): void {
    const { timeline } = connection
    const note = () => this.#lastMs.set(timeline, this.#nowMs())
    note()
    // There is no guard before there is a network, and this cannot throw.
    // eslint-disable-next-line no-restricted-syntax
    connection.addEventListener('message', note)
  }

  /** For how long nothing has come, in milliseconds; 0 when nobody listened. */
  silenceMs({ timeline }: Either): number {
    const now = this.#nowMs()
    return now - (this.#lastMs.get(timeline) ?? now)
  }
}
