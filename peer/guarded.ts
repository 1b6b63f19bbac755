/**
 * The one door through which listeners and callbacks are registered.
 *
 * A throw inside a libp2p event listener becomes an uncaught exception and ends the process, and a
 * rejection of an asynchronous one an unhandled rejection. Anything a stranger can trigger by sending
 * bytes would then be a remote kill. What is thrown behind this door is our bug: it is counted and
 * reported, and the process lives.
 */

/** Whatever events come from: a node, a connection, a stream. */
interface Source<Events> {
  addEventListener<Type extends keyof Events>(
    type: Type,
    listener: (event: Events[Type]) => void
  ): void
  removeEventListener<Type extends keyof Events>(
    type: Type,
    listener: (event: Events[Type]) => void
  ): void
}

export class Guard {
  readonly #report: (where: string, error: unknown) => void
  #bugs = 0

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

  /** Listen to an event. @returns stops listening */
  listen<Events, Type extends keyof Events & string>(
    source: Source<Events>,
    type: Type,
    listener: (event: Events[Type]) => unknown
  ): () => void {
    const guarded = this.wrap(`a listener of '${type}'`, listener)
    source.addEventListener(type, guarded)
    return () => source.removeEventListener(type, guarded)
  }

  #caught(where: string, error: unknown): void {
    this.#bugs++
    try {
      this.#report(where, error)
    } catch {
      // Nobody is left to tell: the count in status remains.
    }
  }
}
