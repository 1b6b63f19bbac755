import type { Task } from '../src/learning/task.ts'
import type { MergeJob, MergeResult } from '../src/learning/merge/merge.ts'
import type { TrainResult, TrainState } from '../src/learning/training.ts'
import type {
  Checkpoint,
  Evaluation,
  ParticipantEffect,
  ParticipantInput
} from '../protocols/participant-io.ts'
import type { Guard } from './guarded.ts'
import { reasonOf } from './reason.ts'

/** Does the work of training elsewhere: a blocked event loop looks like a dead peer. */
export interface Trainer {
  /** @returns how many samples there are to train on */
  adopt(task: Task): Promise<number>
  train(state: TrainState, steps: number): Promise<TrainResult>
  merge(job: MergeJob): Promise<MergeResult>
  evaluate(parameters: Float32Array): Promise<Evaluation>
}

export interface Store {
  save(checkpoint: Checkpoint): Promise<void>
}

/** What a participant asks to have done, and waits for. */
export type Chore = Extract<
  ParticipantEffect,
  { kind: 'adopt' | 'train' | 'merge' | 'evaluate' | 'save' }
>

export interface ChoresComponents {
  readonly trainer: Trainer
  readonly store: Store
  readonly guard: Guard
  /** What came of it, for the participant. */
  readonly onDone: (input: ParticipantInput) => void
  readonly onTrouble: (what: string) => void
}

/** Has everything done that takes time, by those who can; what comes of it returns as an input. */
export class Chores {
  readonly #parts: ChoresComponents
  readonly #saves = new Set<Promise<void>>()

  constructor(parts: ChoresComponents) {
    this.#parts = parts
  }

  perform(chore: Chore): void {
    const { trainer, store, guard, onTrouble } = this.#parts
    switch (chore.kind) {
      case 'adopt':
        void this.#ask(
          () => trainer.adopt(chore.task),
          (samples) => ({ kind: 'adopted', samples }),
          (reason) => ({ kind: 'unfit', reason })
        )
        break
      case 'train':
        void this.#ask(
          () => trainer.train(chore.state, chore.steps),
          (result) => ({ kind: 'trained', result }),
          (reason) => ({ kind: 'trainFailed', reason })
        )
        break
      case 'merge':
        void this.#ask(
          () => trainer.merge(chore.job),
          (result) => ({ kind: 'merged', result }),
          (reason) => ({ kind: 'mergeFailed', reason: `cannot merge: ${reason}` })
        )
        break
      case 'evaluate':
        void this.#ask(
          () => trainer.evaluate(chore.parameters),
          (evaluation) => ({ kind: 'evaluated', round: chore.round, evaluation }),
          (reason) => {
            onTrouble(`cannot evaluate: ${reason}`)
            return undefined
          }
        )
        break
      case 'save': {
        const { round } = chore.checkpoint
        const save = this.#ask(
          () => store.save(chore.checkpoint),
          () => ({ kind: 'saved', round }),
          (reason) => ({ kind: 'saveFailed', reason })
        )
        this.#saves.add(save)
        guard.run('saving', () => save.finally(() => this.#saves.delete(save)))
        break
      }
    }
  }

  /** Settles when every checkpoint is written that was asked for by now. */
  async saved(): Promise<void> {
    await Promise.all(this.#saves)
  }

  async #ask<Result>(
    work: () => Promise<Result>,
    done: (result: Result) => ParticipantInput,
    failed: (reason: string) => ParticipantInput | undefined
  ): Promise<void> {
    let answer: ParticipantInput | undefined
    try {
      answer = done(await work())
    } catch (failure) {
      answer = failed(reasonOf(failure))
    }
    if (answer !== undefined) this.#parts.onDone(answer)
  }
}
