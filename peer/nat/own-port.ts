import { createServer } from 'node:net'
import type { Connection } from '@libp2p/interface'

/**
 * The port that all our dials leave from. A router then keeps one mapping for all of them, and what
 * one far end says of our address holds for the next one; peers that know it can meet us half way.
 */
export class OwnPort {
  readonly number: number
  readonly #used = new WeakSet<Connection>()

  constructor(number: number) {
    this.number = number
  }

  /** A dial that left from this port has arrived. */
  add(connection: Connection): void {
    this.#used.add(connection)
  }

  /** Whether this connection left from here: some have to leave from any other port. */
  carries(connection: Connection): boolean {
    return this.#used.has(connection)
  }
}

/**
 * A port of the system's choosing that nobody uses. It is never the one that we listen on, and with
 * every start another one: the one of our last life may still wait for late packets (TIME_WAIT).
 */
export async function chooseOwnPort(): Promise<OwnPort> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const server = createServer()
  server.once('error', reject)
  server.listen({ port: 0, host: '0.0.0.0' }, () => {
    const address = server.address()
    server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0))
  })
  return new OwnPort(await promise)
}
