/**
 * The one door through which listeners and callbacks are registered.
 *
 * A throw inside a libp2p event listener becomes an uncaught exception and ends the process, and a
 * rejection of an asynchronous one an unhandled rejection. Anything a stranger can trigger by sending
 * bytes would then be a remote kill. What is thrown behind this door is our bug: it is counted and
 * reported, and the process lives.
 */

export class Guard {
  readonly #report: (where: string, error: unknown) => void
  #bugs = 0
  #reporting = false

  /** @param report - told of every bug; what it throws itself is lost */
  constructor(report: (where: string, error: unknown) => void) {
    this.#report = report
  }

  /** Failures so far that were ours. */
  get bugs(): number {
    return this.#bugs
  }

  /** Run something now; a throw or a later rejection is caught. */
  run(where: string, work: () => unknown): void {
    try {
      const outcome = work()
      if (outcome instanceof Promise) outcome.catch((error: unknown) => this.#caught(where, error))
    } catch (error) {
      this.#caught(where, error)
    }
  }

  /** The same function, safe to hand to a timer, a library or an event source. */
  wrap<Args extends unknown[]>(
    where: string,
    callback: (...args: Args) => unknown
  ): (...args: Args) => void {
    return (...args) => this.run(where, () => callback(...args))
  }

  /** The same question, answered with `otherwise` when it throws. */
  answer<Args extends unknown[], Answer>(
    where: string,
    otherwise: Answer,
    question: (...args: Args) => Answer
  ): (...args: Args) => Answer {
    return (...args) => {
      try {
        return question(...args)
      } catch (error) {
        this.#caught(where, error)
        return otherwise
      }
    }
  }

  /**
   * Listen to an event.
   * @param listener - its parameter says which kind of event comes with that name
   * @returns stops listening
   */
  listen<Heard extends Event>(
    source: EventTarget,
    type: string,
    listener: (event: Heard) => unknown
  ): () => void {
    const guarded = this.wrap(`a listener of '${type}'`, listener) as (event: Event) => void
    source.addEventListener(type, guarded)
    return () => source.removeEventListener(type, guarded)
  }

  #caught(where: string, error: unknown): void {
    this.#bugs++
    // Whoever is told may be the one that threw: telling it again would never end.
    if (this.#reporting) return
    this.#reporting = true
    try {
      this.#report(where, error)
    } catch {
      // Nobody is left to tell: the count in status remains.
    } finally {
      this.#reporting = false
    }
  }
}
