import { present } from '../src/core/assert.ts'
import { Random } from '../src/core/random.ts'
import type { DataDirectories } from '../src/learning/data/spec.ts'
import type { BackendName } from '../src/learning/engine/select.ts'
import { mergedInPlaceMax } from '../src/core/limits.ts'
import { performMerge, type MergeJob, type MergeResult } from '../src/learning/merge/merge.ts'
import { needsLearning } from '../src/learning/merge/rules.ts'
import type { Task } from '../src/learning/task.ts'
import type { TrainResult, TrainState } from '../src/learning/training.ts'
import type { Checkpoint, Evaluation } from '../protocols/participant-io.ts'
import type { BodyEvent } from './body.ts'
import type { Store, Trainer } from './chores.ts'
import { CheckpointStore } from './checkpoint.ts'
import type { Home } from './home.ts'
import { TaskStore } from './tasks.ts'
import type { TrainerDescription } from './trainer-messages.ts'
import { TrainerWorker } from './trainer.ts'

export interface WorkOptions {
  /** Data SPEC; null for what the task brings itself, or else for a peer that only mixes. */
  readonly data: string | null
  readonly directories: DataDirectories
  readonly backend: 'auto' | BackendName
  readonly fastMath: boolean
}

/** Samples of a generated set for one node: too few to learn the task well alone. */
const builtInSamples = 600

/** The long work of a participant: training in its thread, checkpoints and manifests on disk. */
export class Work implements Trainer, Store {
  readonly #options: WorkOptions
  readonly #home: Home
  readonly #self: string
  #task: Task | undefined
  #trainer: TrainerWorker | undefined
  #checkpoints: CheckpointStore | undefined
  #description: TrainerDescription | undefined
  readonly #onEvent: (event: BodyEvent) => void
  readonly #onUnfit: (failure: unknown) => void
  readonly #adopted = Promise.withResolvers<void>()
  #savedAt: Date | undefined
  #data: string | null = null

  /** @param onUnfit - told why our data or machine cannot work on the task */
  constructor(
    options: WorkOptions,
    home: Home,
    self: string,
    onEvent: (event: BodyEvent) => void,
    onUnfit: (failure: unknown) => void
  ) {
    this.#options = options
    this.#home = home
    this.#self = self
    this.#onEvent = onEvent
    this.#onUnfit = onUnfit
  }

  get description(): TrainerDescription | undefined {
    return this.#description
  }

  /** The data SPEC that is trained on. */
  get data(): string | null {
    return this.#data
  }

  /** Settles when data and machine have been found to fit the task, and training can begin. */
  get adopted(): Promise<void> {
    return this.#adopted.promise
  }

  get savedAt(): Date | undefined {
    return this.#savedAt
  }

  /** The newest whole checkpoint of the task; what was refused on the way is told. */
  async loadCheckpoint(task: Task | null): Promise<Checkpoint | null> {
    if (task === null) return null
    this.#checkpoints = await CheckpointStore.open(this.#home.checkpoints, task)
    const { checkpoint, troubles } = await this.#checkpoints.load()
    for (const trouble of troubles) {
      const instead =
        checkpoint === null ? 'starting anew' : `going on from round ${checkpoint.round}`
      this.#onEvent({ kind: 'trouble', what: `${trouble}; ${instead}` })
    }
    return checkpoint
  }

  async adopt(task: Task): Promise<number> {
    this.#task = task
    try {
      await new TaskStore(this.#home.tasks).save(task)
      this.#checkpoints ??= await CheckpointStore.open(this.#home.checkpoints, task)
      const { directories, backend, fastMath } = this.#options
      this.#data = this.#options.data ?? builtInData(task, this.#self)
      this.#trainer = new TrainerWorker({
        manifest: task.bytes,
        data: this.#data,
        directories,
        backend,
        fastMath,
        random: `daemon/${this.#self}/training`
      })
      this.#description = await this.#trainer.start()
      this.#adopted.resolve()
      return this.#description.samples
    } catch (error) {
      this.#onUnfit(error)
      throw error
    }
  }

  train(state: TrainState, steps: number): Promise<TrainResult> {
    return present(this.#trainer, 'the trainer').train(state, steps)
  }

  /** Here what is quick, in the trainer's thread what is long or looks into models. */
  async merge(job: MergeJob): Promise<MergeResult> {
    const { manifest, layout } = present(this.#task, 'the task')
    const isShort = layout.parameterCount <= mergedInPlaceMax && !needsLearning(manifest.merge, job)
    if (isShort) return performMerge({ spec: manifest.merge, layout }, job, null)
    return present(this.#trainer, 'the trainer').merge(job)
  }

  evaluate(parameters: Float32Array): Promise<Evaluation> {
    return present(this.#trainer, 'the trainer').evaluate(parameters)
  }

  async save(checkpoint: Checkpoint): Promise<void> {
    await present(this.#checkpoints, 'the store of checkpoints').save(checkpoint)
    this.#savedAt = new Date()
  }

  async stop(): Promise<void> {
    await this.#trainer?.stop()
  }
}

/** A node's own samples of a generated set: as many as a small shard, and other ones for each node. */
function builtInData({ manifest }: Task, self: string): string | null {
  const { builtIn } = manifest.data
  if (builtIn === undefined) return null
  return `${builtIn}?limit=${builtInSamples}&seed=${new Random(self).seed()}`
}
