import type { Guard } from '../guarded.ts'
import type { JoinLine } from '../network/join-line.ts'
import type { Verdict } from './reachability.ts'

export type ReachEvent =
  | ({ readonly kind: 'reachability' } & Verdict)
  /** What others join us by is another line than before. */
  | ({ readonly kind: 'join-line' } & JoinLine)

export interface ReachWatchComponents {
  readonly guard: Guard
  readonly reach: () => Verdict & { readonly line: JoinLine | undefined }
  readonly onEvent: (event: ReachEvent) => void
}

type Told = Pick<Verdict, 'reachability' | 'explanation'> & { readonly address: string | undefined }

/** A place at a relay or a dial from outside changes the picture without any address of ours changing. */
const lookMs = 5_000

/** Tells when how we can be reached is no longer what it was. */
export class ReachWatch {
  readonly #parts: ReachWatchComponents
  #told: Told | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(parts: ReachWatchComponents) {
    this.#parts = parts
  }

  start(): void {
    const look = this.#parts.guard.wrap('looking how we are reached', () => this.look())
    this.#timer = setInterval(look, lookMs)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  look(): void {
    const { reachability, explanation, remedy, line } = this.#parts.reach()
    const told = this.#told
    // A line that is gone for a moment is no news: there is nothing better to pass on.
    this.#told = { reachability, explanation, address: line?.address ?? told?.address }
    // Whoever started us asks for the first picture itself.
    if (told === undefined) return
    if (reachability !== told.reachability || explanation !== told.explanation) {
      this.#parts.onEvent({ kind: 'reachability', reachability, explanation, remedy })
    }
    if (line !== undefined && line.address !== told.address) {
      this.#parts.onEvent({ kind: 'join-line', ...line })
    }
  }
}
