import type { PeerId } from './messages.ts'
import type { Evaluation, Rejection } from './participant-io.ts'

export type ParticipantState =
  | 'joining' // looking for peers, the task or the newest parameters
  | 'training'
  | 'exchanging'
  | 'waiting' // for the next round's start
  | 'finished' // all rounds that were asked for are done; still answers peers
  | 'stopped'

/** Plain JSON picture of a participant: for status, dashboards and reports. */
export interface Snapshot {
  readonly self: PeerId
  readonly task: string | null
  readonly state: ParticipantState
  readonly round: number
  readonly steps: number
  readonly age: number
  readonly samples: number
  /** Mean loss of the last local training; null before the first. */
  readonly loss: number | null
  /** The last evaluation on held-out samples, and after which round it was. */
  readonly evaluation: (Evaluation & { readonly round: number }) | null
  /** Whose models went into the last merge. */
  readonly mergedWith: readonly PeerId[]
  readonly peers: readonly PeerSnapshot[]
  /** Peers whose addresses we remember, connected or not. */
  readonly known: number
  readonly exchanges: {
    readonly ok: number
    readonly failed: number
    readonly rejected: number
    readonly rejectedBy: Readonly<Partial<Record<Rejection, number>>>
  }
  readonly lastSavedRound: number | null
}

export interface PeerSnapshot {
  readonly peer: PeerId
  /** False until its hello named our task. */
  readonly introduced: boolean
  readonly round: number
  readonly age: number
}
