import type { ContentRouting, PeerInfo } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import type { Contact } from '../../protocols/messages.ts'
import { recordsPerMessageMax } from '../../src/core/limits.ts'
import { tellable } from '../network/addresses.ts'
import type { Guard } from '../guarded.ts'

export interface ProvidersOptions {
  /** Pause after the first search, in milliseconds; doubles with every further one. */
  readonly pauseMs: number
  /** Longest pause between searches, in milliseconds. */
  readonly pauseMsMax: number
  /** Longest time for one question to the DHT, in milliseconds. */
  readonly deadlineMs: number
}

export const providersDefaults: ProvidersOptions = {
  pauseMs: 2_000,
  pauseMsMax: 300_000,
  deadlineMs: 20_000
}

export interface ProvidersComponents {
  readonly self: string
  readonly guard: Guard
  readonly routing: ContentRouting
  readonly onContacts: (contacts: readonly Contact[]) => void
}

/**
 * Tells the DHT that we work on a task, and asks it who else does. The first questions come soon
 * after each other, because a newcomer's routing table is still empty.
 */
export class Providers {
  readonly #parts: ProvidersComponents
  readonly #options: ProvidersOptions
  #stop = new AbortController()
  #task: string | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(parts: ProvidersComponents, options: ProvidersOptions) {
    this.#parts = parts
    this.#options = options
  }

  join(task: string): void {
    if (this.#task === task) return
    this.stop()
    this.#task = task
    this.#stop = new AbortController()
    this.#schedule(CID.parse(task), this.#options.pauseMs, this.#stop.signal)
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#stop.abort()
    this.#task = undefined
  }

  #schedule(task: CID, pauseMs: number, stopped: AbortSignal): void {
    const search = this.#parts.guard.wrap('asking the DHT', async () => {
      await this.#provide(task, stopped)
      await this.#find(task, stopped)
      if (stopped.aborted) return
      this.#schedule(task, Math.min(2 * pauseMs, this.#options.pauseMsMax), stopped)
    })
    this.#timer = setTimeout(search, pauseMs)
  }

  async #provide(task: CID, stopped: AbortSignal): Promise<void> {
    try {
      await this.#parts.routing.provide(task, { signal: this.#deadline(stopped) })
    } catch {
      // Nobody in the table yet, or nobody in time: asked again after the pause.
    }
  }

  async #find(task: CID, stopped: AbortSignal): Promise<void> {
    const found: PeerInfo[] = []
    try {
      const signal = this.#deadline(stopped)
      for await (const provider of this.#parts.routing.findProviders(task, { signal })) {
        found.push(provider)
        if (found.length >= recordsPerMessageMax) break
      }
    } catch {
      // What was found until then counts.
    }
    const contacts = found
      .map(({ id, multiaddrs }) => ({ peer: id.toString(), addresses: tellable(multiaddrs) }))
      .filter(({ peer }) => peer !== this.#parts.self)
    if (contacts.length > 0 && !stopped.aborted) this.#parts.onContacts(contacts)
  }

  #deadline(stopped: AbortSignal): AbortSignal {
    return AbortSignal.any([stopped, AbortSignal.timeout(this.#options.deadlineMs)])
  }
}
