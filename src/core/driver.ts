import type { Body, Machine } from './machine.ts'

/**
 * Joins one machine to one body. This is the only loop that performs effects.
 *
 * A body may deliver an input while it performs an effect; such inputs wait their turn, so a machine
 * never sees one input in the middle of another.
 */
export class Driver<Input, Effect> {
  readonly #machine: Machine<Input, Effect>
  readonly #body: Body<Effect>
  readonly #inputs: Input[] = []
  #busy = false
  #stopped = false

  constructor(machine: Machine<Input, Effect>, body: Body<Effect>) {
    this.#machine = machine
    this.#body = body
  }

  /** Hand one input to the machine and perform what it answers. Does nothing once stopped. */
  deliver(input: Input): void {
    if (this.#stopped) return
    this.#inputs.push(input)
    if (this.#busy) return

    this.#busy = true
    try {
      for (let next = this.#take(); next !== undefined; next = this.#take()) {
        for (const effect of this.#machine.handle(next, this.#body.nowMs())) {
          if (this.#isStopped()) return
          this.#body.perform(effect)
        }
      }
    } finally {
      this.#busy = false
    }
  }

  /** End this life: inputs that are still on their way (timers, answers, messages) reach nobody. */
  stop(): void {
    this.#stopped = true
    this.#inputs.length = 0
  }

  #take(): Input | undefined {
    return this.#stopped ? undefined : this.#inputs.shift()
  }

  #isStopped(): boolean {
    return this.#stopped
  }
}
