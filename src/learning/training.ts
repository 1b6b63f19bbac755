import { z } from 'zod'

/** How a peer trains between exchanges; part of the task. */
export const optimizerSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sgd'),
    learningRate: z.number().positive().max(100),
    momentum: z.number().min(0).lt(1).default(0)
  }),
  z.strictObject({
    kind: z.literal('adam'),
    learningRate: z.number().positive().max(100),
    beta1: z.number().min(0).lt(1).default(0.9),
    beta2: z.number().min(0).lt(1).default(0.999),
    epsilon: z.number().positive().default(1e-8)
  })
])

export const trainingSchema = z.strictObject({
  optimizer: optimizerSchema,
  batchSize: z.int().min(1).max(65_536),
  /** Optimizer steps between two exchanges. */
  localSteps: z.int().min(1).max(1_000_000)
})

export type OptimizerSpec = z.infer<typeof optimizerSchema>
export type TrainingSpec = z.infer<typeof trainingSchema>

/** What training needs to go on where it stopped, bit for bit. Arrays are not written to. */
export interface TrainState {
  /** Shape [P]. */
  readonly parameters: Float32Array
  /** The optimizer's memory: empty at first, [P] for momentum, [2P] for Adam. */
  readonly optimizer: Float32Array
  /** Optimizer steps taken in this model's life here; also chooses the batches that come next. */
  readonly steps: number
}

export interface TrainResult extends TrainState {
  /** Mean loss over the steps; the last finite one when training had to roll back. */
  readonly loss: number
  /** Samples seen in these steps. */
  readonly samples: number
  /** True when the loss or the parameters stopped being finite: the state is that of the call. */
  readonly rolledBack: boolean
}
