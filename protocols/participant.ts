import type { Machine } from '../src/core/machine.ts'
import type { Random } from '../src/core/random.ts'
import type { Task } from '../src/learning/task.ts'
import type { TrainState } from '../src/learning/training.ts'
import type { PeerId } from './messages.ts'
import type { Checkpoint, ParticipantEffect, ParticipantInput } from './participant-io.ts'
import type { Snapshot } from './snapshot.ts'

export interface ParticipantComponents {
  readonly self: PeerId
  readonly random: Random
  /** Null: ask the swarm for it. */
  readonly task: Task | null
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
}

export const participantDefaults: ParticipantOptions = {
  roundsMax: Infinity,
  saveEveryRounds: 1,
  evaluateEveryRounds: 1,
  quorum: 0,
  joinWaitMs: 15_000,
  degree: 8
}

export class Participant implements Machine<ParticipantInput, ParticipantEffect> {
  handle(_input: ParticipantInput, _nowMs: number): readonly ParticipantEffect[] {
    throw new Error('to come')
  }
  snapshot(): Snapshot {
    throw new Error('to come')
  }
  /** The model as it is now; undefined before there is one. Arrays are not written to. */
  get model(): TrainState | undefined {
    throw new Error('to come')
  }
}

export function participant(
  _options: Partial<ParticipantOptions> = {}
): (components: ParticipantComponents) => Participant {
  return () => new Participant()
}
