import { z } from 'zod'
import { scheduleSchema } from './schedule.ts'

const rate = z.number().positive().max(100)
const decayRate = z.number().min(0).lt(1)

/** What every optimizer may have besides its own numbers. */
const common = {
  /** Pulls tensors of role `weight`, and no others, towards zero. */
  weightDecay: z.number().min(0).max(10).optional(),
  /** Longest length of the whole gradient; longer ones are shortened to it. */
  clipNorm: z.number().positive().optional(),
  schedule: scheduleSchema.optional()
}

const adam = {
  learningRate: rate,
  beta1: decayRate.default(0.9),
  beta2: decayRate.default(0.999),
  epsilon: z.number().positive().default(1e-8),
  ...common
}

/** How a peer trains between exchanges; part of the task. */
export const optimizerSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sgd'),
    learningRate: rate,
    momentum: decayRate.default(0),
    nesterov: z.boolean().optional(),
    ...common
  }),
  z.strictObject({ kind: z.literal('adam'), ...adam }),
  /** Its weight decay is not scaled by the gradient's size. */
  z.strictObject({ kind: z.literal('adamw'), ...adam }),
  z.strictObject({
    kind: z.literal('lion'),
    learningRate: rate,
    beta1: decayRate.default(0.9),
    beta2: decayRate.default(0.99),
    ...common
  })
])

/**
 * What training makes small. The last two compare each class with 1 at the label and 0 elsewhere:
 * `sigmoid-cross-entropy` asks of every class by itself whether it is the one.
 */
export const lossKinds = [
  'softmax-cross-entropy',
  'sigmoid-cross-entropy',
  'mean-squared-error'
] as const
export type LossKind = (typeof lossKinds)[number]

export const trainingSchema = z.strictObject({
  optimizer: optimizerSchema,
  /** By default softmax-cross-entropy. */
  loss: z.enum(lossKinds).optional(),
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
  /** The optimizer's memory: empty at first, [P] for momentum and lion, [2P] for adam. */
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
