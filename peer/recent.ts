import { recentEventsMax } from '../src/core/limits.ts'

/** An event, and when it happened by the wall clock, ISO 8601. */
export interface Dated<Event> {
  readonly at: string
  readonly event: Event
}

/** The last things that happened, for whoever asks later. */
export class Recent<Event> {
  readonly #events: Dated<Event>[] = []

  add(event: Event): void {
    this.#events.push({ at: new Date().toISOString(), event })
    if (this.#events.length > recentEventsMax) this.#events.shift()
  }

  /** Oldest first, at most recentEventsMax. */
  get all(): readonly Dated<Event>[] {
    return this.#events
  }
}
