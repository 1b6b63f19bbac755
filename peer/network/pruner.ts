import type { Connection } from '@libp2p/interface'
import type { PeerId } from '../../protocols/messages.ts'
import { framesProtocol } from '../frames.ts'
import type { Guard } from '../guarded.ts'
import type { Connections } from './connections.ts'

export interface PrunerComponents {
  readonly self: PeerId
  readonly guard: Guard
  readonly connections: Connections
}

/** Time for both ends to move their frames to the better connection, in milliseconds. */
const graceMs = 2_000
/** Longest time that closing one takes, in milliseconds. */
const closeMsMax = 5_000

/**
 * Keeps one connection to each peer. Two that dial each other at once, or that met through a relay and
 * then got through, end up with several. The end with the lower id closes what is too much, once no
 * frames travel on it; the other end closes nothing, so that they cannot each close what the other
 * one keeps.
 */
export class Pruner {
  readonly #parts: PrunerComponents
  readonly #timers = new Map<PeerId, NodeJS.Timeout>()
  #stopped = false

  constructor(parts: PrunerComponents) {
    this.#parts = parts
  }

  /** There may be one too many to this peer. */
  look(peer: PeerId): void {
    const { self, guard, connections } = this.#parts
    if (self > peer || this.#stopped || this.#timers.has(peer)) return
    if (connections.superfluousTo(peer).length === 0) return
    const prune = guard.wrap('closing superfluous connections', () => {
      this.#timers.delete(peer)
      for (const connection of connections.superfluousTo(peer)) {
        if (!isInUse(connection)) guard.run('closing a connection', () => close(connection))
      }
      this.look(peer)
    })
    this.#timers.set(peer, setTimeout(prune, graceMs))
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers.values()) clearTimeout(timer)
  }
}

/** A relayed connection to somebody else is a stream on the connection to the relay. */
function isInUse({ streams }: Connection): boolean {
  return streams.some(
    ({ protocol }) => protocol === framesProtocol || protocol.startsWith('/libp2p/circuit/relay/')
  )
}

async function close(connection: Connection): Promise<void> {
  const signal = AbortSignal.timeout(closeMsMax)
  await connection.close({ signal }).catch(() => connection.abort(new Error('not closed in time')))
}
