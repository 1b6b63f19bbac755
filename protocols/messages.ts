/**
 * Everything that travels between peers. wire.ts turns these into bytes and back; docs/wire.md
 * writes the bytes down.
 *
 * Arrays of parameters are shared, not copied, on their way through machines and drivers: once an
 * array is in a message, an effect or an input, nobody writes to it again.
 */

import type { SignedRecord } from './records/record.ts'

/** A peer's identity: on libp2p the base58 peer id, in the simulator `peer-017`. */
export type PeerId = string

/** Where a peer can be reached. The addresses are its own claim, relayed by others. */
export interface Contact {
  readonly peer: PeerId
  readonly addresses: readonly string[]
}

/** How far a peer is. All of it is the peer's own claim. */
export interface Progress {
  /** Rounds finished. */
  readonly round: number
  /** Samples its model has seen, its own and, through catching up, others'. */
  readonly age: number
  /** Samples in its shard. */
  readonly samples: number
}

/** A model with where it comes from. */
export interface TravellingModel extends Progress {
  /** Names the training history that its units' order comes from (src/learning/merge/lineage.ts). */
  readonly lineage: string
  /**
   * SHA-256 (hex) of the parameters, as the bytes that they came in claim it. Undefined for parameters
   * that are still those of their sender, with no bytes between that could change them.
   */
  readonly digest?: string | undefined
  readonly parameters: Float32Array
}

/** A record as one peer tells it to another. */
export interface ToldRecord {
  readonly signed: SignedRecord
  /** How long ago the teller had word of its peer: no clock that two would have to share. */
  readonly heardSecondsAgo: number
}

/** The first message on every connection, both ways; said again when something in it changes. */
export interface Hello extends Progress {
  readonly kind: 'hello'
  /** Of its model; null while it has none. */
  readonly lineage: string | null
  /** CID of the task it works on; null while it has none and asks for one. */
  readonly task: string | null
  /** Digest of the task's layout; null without a task. */
  readonly layout: string | null
  /** The sender's own, for others to pass on. Its progress may be older than what is said here. */
  readonly record: SignedRecord
  /** CIDs of tasks that a helper gives to those who want one. Bounded by offersPerHelloMax. */
  readonly offers: readonly string[]
  /** Whether the sender has had our hello; if not, it wants one. */
  readonly known: boolean
}

/** Whom the sender knows. Bounded by recordsPerMessageMax. */
export interface Peers {
  readonly kind: 'peers'
  readonly records: readonly ToldRecord[]
}

/** Asks a peer for what a newcomer lacks. */
export interface Want {
  readonly kind: 'want'
  readonly what: 'task' | 'state'
  /** CID of the task that is meant; null for the one that the receiver works on. */
  readonly task: string | null
}

/** A task manifest in its canonical encoding; whoever receives it checks the CID. */
export interface TaskMessage {
  readonly kind: 'task'
  readonly manifest: Uint8Array
}

/** The newest parameters of a peer, for a newcomer to start from. */
export interface StateMessage extends TravellingModel {
  readonly kind: 'state'
}

/** A model to merge with. */
export interface Update extends TravellingModel {
  readonly kind: 'update'
  /**
   * `push` asks for a `reply` with the same `exchange` number (gossip).
   * `round` goes to all neighbours and asks for nothing (synchronous rounds).
   * `trained` goes from one of a sample to the aggregators of the next round, and `aggregate` from
   * them to its sample (modest); both carry the round in which the model is or was to be trained.
   */
  readonly phase: 'push' | 'reply' | 'round' | 'trained' | 'aggregate'
  /** Chosen by the pusher, rising; 0 in rounds. */
  readonly exchange: number
  /** Neighbours of the sender; decides Metropolis weights. */
  readonly degree: number
}

/** Instead of an answer: not now. Whoever asked goes on without waiting for its deadline. */
export interface Decline {
  readonly kind: 'decline'
  /** Of the push that is declined; 0 declines a `want`. */
  readonly exchange: number
}

/** What one peer believes of another's part in a task (modest). */
export interface ViewEntry extends Contact {
  /** The last round in which it was active. */
  readonly round: number
  /** How often it joined and left. */
  readonly counter: number
  /** Whether it left last. */
  readonly left: boolean
}

/** What the sender believes of who takes part. Bounded by viewEntriesPerMessageMax. */
export interface ViewMessage {
  readonly kind: 'view'
  readonly entries: readonly ViewEntry[]
}

/** Asks a peer whether it is there for a round. */
export interface Ping {
  readonly kind: 'ping'
  readonly round: number
}

/** It is. */
export interface Pong {
  readonly kind: 'pong'
  /** Of the ping. */
  readonly round: number
  /** The newest round whose model came to it. */
  readonly newest: number
  /** Whether it has data to train on. */
  readonly trains: boolean
}

/** A peer that says goodbye. */
export interface Leave {
  readonly kind: 'leave'
}

export type Message =
  | Hello
  | Peers
  | Want
  | TaskMessage
  | StateMessage
  | Update
  | Decline
  | Leave
  | ViewMessage
  | Ping
  | Pong
