import type { Random } from '../src/core/random.ts'
import type { MergeJob, MergeResult } from '../src/learning/merge/merge.ts'
import type { Task } from '../src/learning/task.ts'
import type { TrainResult, TrainState } from '../src/learning/training.ts'
import type { Partners } from './exchange/partners.ts'
import type { Contact, Message, PeerId } from './messages.ts'
import type { Signer } from './records/record.ts'

/** What a participant is made of, what it is told and what it asks for: the contract between it and any body. */

export interface ParticipantComponents {
  readonly self: PeerId
  readonly random: Random
  /** Of the same peer as `self`. */
  readonly signer: Signer
  /** Null: ask the swarm for it. */
  readonly task: Task | null
  /** With no task at hand: take only the one of this CID; null for whatever the swarm works on. */
  readonly wanted: string | null
  /** Of an earlier life; null to start anew. */
  readonly checkpoint: Checkpoint | null
}

export interface ParticipantOptions {
  /** Rounds to finish before training stops; Infinity for as long as it lives. */
  readonly roundsMax: number
  /** Rounds between checkpoints; 0 for none. */
  readonly saveEveryRounds: number
  /** Rounds between evaluations on held-out samples; 0 for none. */
  readonly evaluateEveryRounds: number
  /** Introduced peers to wait for before the first round. */
  readonly quorum: number
  /** How long to wait for them, and for a swarm to join, in milliseconds. */
  readonly joinWaitMs: number
  /** Connections to keep; 0 for a fixed overlay, where only the body decides who is connected. */
  readonly degree: number
  /** Time between two looks at the membership, in milliseconds. */
  readonly membershipIntervalMs: number
  /** `none`: join at the swarm's round with the parameters at hand, instead of fetching newer ones. */
  readonly catchUp: 'state' | 'none'
  /** In synchronous rounds: one neighbour for each round; null to trade with all of them. */
  readonly partners: Partners | null
  /** Of the program, as our record tells it: at most versionLengthMax characters, or it is cut. */
  readonly version: string
}

/** Reasons for which a message from a peer changes nothing. Each is counted. */
export type Rejection =
  | 'malformed' // not a frame, or not one of ours
  | 'too-large' // more bytes than the layout or a limit allows
  | 'unintroduced' // before a hello with our task
  | 'task' // another task or layout
  | 'forged' // a record that its peer has not signed
  | 'digest' // the parameters are not what their digest says
  | 'size' // not [P] parameters
  | 'not-finite' // NaN or infinity
  | 'stale' // an update for a round that is over, or one seen before
  | 'future' // an update from a round that we are far from
  | 'full' // no room left in the queue
  | 'unexpected' // an answer to nothing that we asked
  | 'flood' // hellos, questions or records, more often than an honest peer has reason to

/** All that must survive a crash. */
export interface Checkpoint {
  readonly task: string
  readonly round: number
  readonly age: number
  /** Null in one that an older version wrote. */
  readonly lineage: string | null
  readonly state: TrainState
}

export interface Evaluation {
  /** Mean cross-entropy on the held-out samples. */
  readonly loss: number
  /** Fraction classified correctly, 0 to 1. */
  readonly accuracy: number
}

export type ParticipantInput =
  | { readonly kind: 'start' }
  /** Our own reachable addresses changed. */
  | { readonly kind: 'listening'; readonly addresses: readonly string[] }
  /** A connection whose other end has proved its identity is open, or its last one is gone. */
  | { readonly kind: 'peerUp'; readonly peer: PeerId }
  | { readonly kind: 'peerDown'; readonly peer: PeerId }
  /** A dial that we asked for came to nothing. */
  | { readonly kind: 'unreachable'; readonly peer: PeerId }
  | { readonly kind: 'message'; readonly from: PeerId; readonly message: Message }
  /** The body could not make a message of what a peer sent. */
  | {
      readonly kind: 'malformed'
      readonly from: PeerId
      readonly reason: 'malformed' | 'too-large'
    }
  /** Peers that the body found by its own means (DHT, announcements, disk). */
  | { readonly kind: 'discovered'; readonly contacts: readonly Contact[] }
  | { readonly kind: 'wake'; readonly timer: Timer }
  /** Answer to `adopt`: ready to train on this many samples (0: only mixes). */
  | { readonly kind: 'adopted'; readonly samples: number }
  /** Answer to `adopt`: our data or machine does not fit the task. The participant stops. */
  | { readonly kind: 'unfit'; readonly reason: string }
  | { readonly kind: 'trained'; readonly result: TrainResult }
  /** Answer to `train` when the trainer itself failed; tried again after a pause. */
  | { readonly kind: 'trainFailed'; readonly reason: string }
  | { readonly kind: 'merged'; readonly result: MergeResult }
  /** Answer to `merge` when merging itself failed: the model stays as it is. */
  | { readonly kind: 'mergeFailed'; readonly reason: string }
  | { readonly kind: 'evaluated'; readonly round: number; readonly evaluation: Evaluation }
  | { readonly kind: 'saved'; readonly round: number }
  | { readonly kind: 'saveFailed'; readonly reason: string }
  /** Say goodbye and save; the body waits for the effects and stops. */
  | { readonly kind: 'leave' }

/** Named timers: asking for one again replaces the one that runs. */
export type Timer = 'join' | 'round' | 'exchange' | 'membership' | 'retry-training'

export type ParticipantEffect =
  | { readonly kind: 'send'; readonly to: PeerId; readonly message: Message }
  /** Dial; nothing to do when connected. Failure comes back as `unreachable`. */
  | { readonly kind: 'connect'; readonly contact: Contact }
  | { readonly kind: 'disconnect'; readonly peer: PeerId }
  | { readonly kind: 'wake'; readonly timer: Timer; readonly afterMs: number }
  /** Make ready to train on this task. Answered by `adopted` or `unfit`. */
  | { readonly kind: 'adopt'; readonly task: Task }
  /** Take optimizer steps from this state. Answered by `trained` or `trainFailed`. One at a time. */
  | { readonly kind: 'train'; readonly state: TrainState; readonly steps: number }
  /** Make one model of several. Answered by `merged` or `mergeFailed`. One at a time. */
  | { readonly kind: 'merge'; readonly job: MergeJob }
  /** Measure on held-out samples. Answered by `evaluated`, or not at all. */
  | { readonly kind: 'evaluate'; readonly round: number; readonly parameters: Float32Array }
  /** Answered by `saved` or `saveFailed`. */
  | { readonly kind: 'save'; readonly checkpoint: Checkpoint }
  | { readonly kind: 'emit'; readonly event: ParticipantEvent }

/** A merge is done; what `MergeResult` says of it, without the model. */
export interface MergedEvent extends Omit<MergeResult, 'parameters' | 'bestLoss'> {
  readonly kind: 'merged'
  readonly round: number
  /** Whose models went in, those that were rejected among them. */
  readonly with: readonly PeerId[]
  readonly rule: string
  /** From asking for it to its answer, in milliseconds. */
  readonly ms: number
}

/** What people and reports are told. */
export type ParticipantEvent =
  | { readonly kind: 'task-adopted'; readonly task: string; readonly from: PeerId | null }
  | { readonly kind: 'peer-joined'; readonly peer: PeerId; readonly round: number }
  | { readonly kind: 'peer-left'; readonly peer: PeerId }
  /** Another task or layout at the other end: what we have and what it has. */
  | {
      readonly kind: 'peer-refused'
      readonly peer: PeerId
      readonly ours: string
      readonly theirs: string
    }
  | {
      readonly kind: 'caught-up'
      readonly from: PeerId
      readonly round: number
      readonly age: number
    }
  /** Called to a round of a sample (modest): goes on from its model. */
  | { readonly kind: 'called'; readonly round: number; readonly digest: string }
  | {
      readonly kind: 'trained'
      readonly round: number
      readonly loss: number
      readonly samples: number
    }
  | { readonly kind: 'rolled-back'; readonly round: number }
  | MergedEvent
  /** A partner did not answer in time. */
  | { readonly kind: 'exchange-failed'; readonly round: number; readonly peers: readonly PeerId[] }
  | { readonly kind: 'round-finished'; readonly round: number }
  | { readonly kind: 'evaluated'; readonly round: number; readonly evaluation: Evaluation }
  | { readonly kind: 'rejected'; readonly peer: PeerId; readonly reason: Rejection }
  | { readonly kind: 'banned'; readonly peer: PeerId; readonly forMs: number }
  | { readonly kind: 'saved'; readonly round: number }
  | { readonly kind: 'trouble'; readonly what: string }
  /** All rounds that were asked for are done; goes on answering its peers. */
  | { readonly kind: 'finished'; readonly round: number }
