import { Heap } from 'heap-js'
import { assert } from '../src/core/assert.ts'

interface Entry<T> {
  readonly atMs: number
  readonly order: number
  readonly event: T
}

/**
 * What is still to happen, and the virtual clock that it moves.
 * The world's order is (time, order of arrival): no tie is left to chance or to a hash.
 */
export class EventQueue<T> {
  readonly #heap = new Heap<Entry<T>>((a, b) => a.atMs - b.atMs || a.order - b.order)
  #nowMs = 0
  #pushed = 0

  /** The time of the event that was taken last, in milliseconds since the world began. */
  get nowMs(): number {
    return this.#nowMs
  }

  get size(): number {
    return this.#heap.length
  }

  /** @param afterMs - finite and not negative, counted from now */
  push(afterMs: number, event: T): void {
    assert(
      afterMs >= 0 && Number.isFinite(afterMs),
      `an event is due at a time to come: ${afterMs}`
    )
    this.#heap.push({ atMs: this.#nowMs + afterMs, order: this.#pushed++, event })
  }

  /** When the next event is due; undefined when nothing is left. */
  peekMs(): number | undefined {
    return this.#heap.peek()?.atMs
  }

  /** Take the next event and move the clock to it. */
  take(): T | undefined {
    const entry = this.#heap.pop()
    if (entry === undefined) return undefined
    this.#nowMs = entry.atMs
    return entry.event
  }
}
