import type { Guard } from '../guarded.ts'
import type { JoinLine } from '../network/join-line.ts'
import type { Verdict } from './reachability.ts'

export type ReachEvent =
  | ({ readonly kind: 'reachability' } & Verdict)
  /** What others join us by is another line than before. */
  | ({ readonly kind: 'join-line' } & JoinLine)

export interface ReachWatchComponents {
  readonly guard: Guard
  readonly reach: () => Picture
  readonly onEvent: (event: ReachEvent) => void
}

type Picture = Verdict & { readonly line: JoinLine | undefined }

/** A place at a relay or a dial from outside changes the picture without any address of ours changing. */
const lookMs = 5_000

/** Tells when how we can be reached is no longer what it was. */
export class ReachWatch {
  readonly #parts: ReachWatchComponents
  #told: Picture | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(parts: ReachWatchComponents) {
    this.#parts = parts
  }

  /** From here on what changes is told; whoever starts us asks for the first picture itself. */
  start(): void {
    const look = this.#parts.guard.wrap('looking how we are reached', () => this.look())
    this.#timer = setInterval(look, lookMs)
    this.#timer.unref()
    this.#told = this.#picture()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#told = undefined
  }

  look(): void {
    const told = this.#told
    if (told === undefined) return
    const now = this.#picture()
    this.#told = now
    if (now.reachability !== told.reachability || now.explanation !== told.explanation) {
      const { reachability, explanation, remedy } = now
      this.#parts.onEvent({ kind: 'reachability', reachability, explanation, remedy })
    }
    if (now.line !== undefined && now.line.address !== told.line?.address) {
      this.#parts.onEvent({ kind: 'join-line', ...now.line })
    }
  }

  /** A line that is gone for a moment is no news: there is nothing better to pass on. */
  #picture(): Picture {
    const picture = this.#parts.reach()
    return { ...picture, line: picture.line ?? this.#told?.line }
  }
}
