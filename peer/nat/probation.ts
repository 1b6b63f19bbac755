import type { Connection } from '@libp2p/interface'
import type { Guard } from '../guarded.ts'

/** How long a new connection has to show that somebody is there, in milliseconds. */
const proofMsMax = 3_000

interface Candidate {
  readonly isProved: Promise<boolean>
  readonly settle: (isProved: boolean) => void
}

/**
 * Connections that may be phantoms. When ICE fails, the end that was asked is left with a connection
 * by WebRTC that says it is open, direct and without limits, and that nothing ever passes (seen for
 * more than 40 s). So one counts only when something has come over it, and is ended else.
 */
export class Probation {
  readonly #guard: Guard
  readonly #candidates = new Map<string, Candidate>()

  constructor(guard: Guard) {
    this.#guard = guard
  }

  /** It has opened. */
  begin(connection: Connection): void {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const end = this.#guard.wrap('ending a phantom', () => {
      connection.abort(new Error('nobody answers on it'))
      this.#settle(connection, false)
    })
    const timer = setTimeout(end, proofMsMax)
    const settle = (isProved: boolean): void => {
      clearTimeout(timer)
      resolve(isProved)
    }
    this.#candidates.set(connection.id, { isProved: promise, settle })
  }

  /** Something came over it. @returns whether that was in doubt */
  passed(connection: Connection): boolean {
    return this.#settle(connection, true)
  }

  /** It has closed. @returns whether it never counted */
  failed(connection: Connection): boolean {
    return this.#settle(connection, false)
  }

  /** Settles when nothing is in doubt about this one any more. */
  async outcome({ id }: Connection): Promise<void> {
    await this.#candidates.get(id)?.isProved
  }

  stop(): void {
    for (const { settle } of this.#candidates.values()) settle(false)
    this.#candidates.clear()
  }

  #settle({ id }: Connection, isProved: boolean): boolean {
    const candidate = this.#candidates.get(id)
    candidate?.settle(isProved)
    return this.#candidates.delete(id)
  }
}
