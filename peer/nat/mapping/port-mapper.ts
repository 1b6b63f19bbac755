import type { UPnPNATClient } from '@libp2p/upnp-nat'
import { StarlingError } from '../../../src/core/errors.ts'
import { routersMax } from '../../../src/core/limits.ts'
import type { Forwarder } from './forwarder.ts'
import type { RouterFound } from './gateway.ts'
import { findIgds } from './igd.ts'
import { NatPmp } from './nat-pmp.ts'
import { ownGateways } from './own-gateways.ts'
import { Router } from './router.ts'

export interface Search {
  /** Ends it. */
  readonly signal: AbortSignal
  /** Between two questions to all, in milliseconds. */
  readonly againMs: number
}

/** Reports every forwarder that answers, until the search ends or sooner. */
export type Finder = (found: (forwarder: Forwarder) => void, search: Search) => Promise<void>

const againMsDefault = 10_000

/**
 * Finds routers that forward ports, for libp2p, which then maps ours at each of them.
 *
 * libp2p's own finder is not used: a datagram from the local network ends its process, it reads
 * documents of any size from any address, and it does not see routers of the common, older kind.
 */
export class PortMapper implements UPnPNATClient {
  readonly #routers = new Map<string, Router>()
  readonly #finders: readonly Finder[]

  constructor(finders: readonly Finder[] = [findNatPmp, findIgds]) {
    this.#finders = finders
  }

  /** Those that have answered so far. */
  get found(): readonly RouterFound[] {
    return [...this.#routers.values()].map(({ found }) => found)
  }

  /** Every router once, in however many languages it answers. */
  async *findGateways(
    options: Parameters<UPnPNATClient['findGateways']>[0] = {}
  ): AsyncGenerator<Router, void, unknown> {
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, ...(options.signal ? [options.signal] : [])])
    const search = { signal, againMs: options.searchInterval ?? againMsDefault }
    const routers = new ReadableStream<Router>({
      start: (stream) => {
        const found = (forwarder: Forwarder): void => {
          const known = this.#routers.get(forwarder.host)
          known?.learn(forwarder)
          if (signal.aborted || known !== undefined || this.#routers.size >= routersMax) return
          const router = new Router(forwarder)
          this.#routers.set(router.host, router)
          stream.enqueue(router)
        }
        const searches = this.#finders.map((find) => find(found, search))
        void Promise.allSettled(searches).then(() => over.signal.aborted || stream.close())
      }
    })
    try {
      yield* routers
    } finally {
      over.abort()
    }
  }

  /** @throws STARLING_BAD_ARGUMENT always: routers are found by themselves */
  getGateway(descriptor: URL): Promise<Router> {
    const why = `${descriptor.href} is not asked: routers are found by themselves`
    return Promise.reject(new StarlingError('STARLING_BAD_ARGUMENT', why))
  }
}

/** Ask those that may be our gateway, all at once. */
async function findNatPmp(
  found: (forwarder: Forwarder) => void,
  { signal }: Search
): Promise<void> {
  const asked = (await ownGateways()).map(async (host) => {
    const forwarder = new NatPmp(host)
    if (await forwarder.answers(signal)) found(forwarder)
  })
  await Promise.allSettled(asked)
}
