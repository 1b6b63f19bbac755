import type { PeerId } from './messages.ts'
import type { ParticipantEvent, Rejection } from './participant-io.ts'
import type { Snapshot } from './snapshot.ts'

/** Counts what happened, for snapshots. */
export class Tally {
  readonly #rejectedBy: Partial<Record<Rejection, number>> = {}
  #ok = 0
  #failed = 0
  #mergedWith: readonly PeerId[] = []

  count(event: ParticipantEvent): void {
    if (event.kind === 'merged') {
      this.#ok += event.with.length
      this.#mergedWith = event.with
    } else if (event.kind === 'exchange-failed') {
      this.#failed += event.peers.length
    } else if (event.kind === 'rejected') {
      this.#rejectedBy[event.reason] = (this.#rejectedBy[event.reason] ?? 0) + 1
    }
  }

  /** Whose models went into the last merge. */
  get mergedWith(): readonly PeerId[] {
    return this.#mergedWith
  }

  get exchanges(): Snapshot['exchanges'] {
    const rejected = Object.values(this.#rejectedBy).reduce((sum, count) => sum + count, 0)
    return { ok: this.#ok, failed: this.#failed, rejected, rejectedBy: { ...this.#rejectedBy } }
  }
}
