import { decode, encode } from '@ipld/dag-cbor'
import { z } from 'zod'
import { cidOf } from '../core/cid.ts'
import { StarlingError } from '../core/errors.ts'
import { explain } from '../core/explain.ts'
import { classesMax, featuresMax, manifestBytesMax, positionsMax } from '../core/limits.ts'
import { Random } from '../core/random.ts'
import { exchangeSchema } from './exchange.ts'
import { createLayout, initialise, tensorSpecSchema, type Layout } from './layout.ts'
import { mergeSchema } from './merge/rules.ts'
import { modelSchema } from './model/spec.ts'
import { trainingSchema, type TrainState } from './training.ts'

/**
 * The task manifest: everything that peers must agree on before a model of one means anything to
 * another. Its CID is the swarm's name.
 */
export const taskSchema = z.strictObject({
  format: z.literal('starling/task/1'),
  name: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9.-]{0,63}$/,
      'a name has 1 to 64 of a-z 0-9 . - and starts with a letter or digit'
    ),
  model: modelSchema,
  /** Names, shapes and roles of the model's tensors, in order. Fixes the byte count of an update. */
  tensors: z.array(tensorSpecSchema).min(1),
  data: z
    .strictObject({
      shape: z
        .array(z.int().positive())
        .min(1)
        .max(4)
        .refine(
          (shape) => shape.reduce((a, b) => a * b, 1) <= featuresMax,
          `at most ${featuresMax} features`
        ),
      classes: z.int().min(2).max(classesMax),
      /** Labels per sample, one for each position of a sequence; absent: one label. */
      positions: z.int().min(2).max(positionsMax).optional(),
      scale: z.strictObject({ mean: z.number(), deviation: z.number().positive() }).optional(),
      /** Data that every node can make, for those that bring none of their own. Never a path. */
      builtIn: z.enum(['glyphs']).optional()
    })
    .refine(
      ({ positions, scale }) => positions === undefined || scale === undefined,
      "a sequence ('positions') has no 'scale': its features name characters, they measure nothing"
    ),
  /** `shared`: all peers draw the same first parameters from the seed. `independent`: each its own. */
  init: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('shared'), seed: z.int().nonnegative() }),
    z.strictObject({ kind: z.literal('independent') })
  ]),
  training: trainingSchema,
  merge: mergeSchema,
  exchange: exchangeSchema
})

export type TaskManifest = z.infer<typeof taskSchema>

/** A manifest as people write it: the tensors follow from the model and may be left out. */
const draftSchema = taskSchema.partial({ tensors: true })

export type TaskDraft = z.infer<typeof draftSchema>

/** A manifest that has been checked, with what follows from it. */
export interface Task {
  readonly manifest: TaskManifest
  /** CIDv1, dag-cbor, sha2-256: `bafyrei…`. */
  readonly cid: string
  readonly layout: Layout
  /** The canonical encoding, of which `cid` is the hash. */
  readonly bytes: Uint8Array
}

/**
 * Check a manifest and name it.
 * @throws STARLING_BAD_TASK naming the key that is wrong and what it should be
 */
export function createTask(content: unknown): Task {
  const manifest = check(taskSchema, content)
  const bytes = encode(manifest)
  if (bytes.length > manifestBytesMax) {
    throw new StarlingError(
      'STARLING_BAD_TASK',
      `the task takes ${bytes.length} bytes, more than the ${manifestBytesMax} that peers accept`
    )
  }
  return { manifest, cid: cidOf(bytes), layout: createLayout(manifest.tensors), bytes }
}

/** @throws STARLING_BAD_TASK naming the key that is wrong and what it should be */
export function checkDraft(content: unknown): TaskDraft {
  return check(draftSchema, content)
}

function check<Schema extends z.ZodType>(schema: Schema, content: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  const lines = explain(schema, parsed.error, content).map((line) => `  ${line}`)
  throw new StarlingError('STARLING_BAD_TASK', `the task is not valid:\n${lines.join('\n')}`)
}

/**
 * Read a manifest that came over the network or from a store.
 * @throws STARLING_BAD_TASK when it is no canonical encoding of a valid manifest
 */
export function decodeTask(bytes: Uint8Array): Task {
  let manifest: unknown
  try {
    manifest = decode(bytes)
  } catch (error) {
    throw new StarlingError('STARLING_BAD_TASK', `the task is not dag-cbor: ${String(error)}`)
  }
  const task = createTask(manifest)
  if (task.cid !== cidOf(bytes)) {
    throw new StarlingError('STARLING_BAD_TASK', 'the task is not in its canonical encoding')
  }
  return task
}

const sharedStarts = new WeakMap<Task, TrainState>()

/**
 * Where training begins: the same for all peers of a task with a shared start.
 * @param own - dice of this peer, for a task whose peers start independently
 */
export function firstState(task: Task, own: Random): TrainState {
  const { init } = task.manifest
  if (init.kind === 'independent') return drawState(task, own)
  let shared = sharedStarts.get(task) // a thousand peers in one process draw it once
  if (shared === undefined) {
    shared = drawState(task, new Random(`shared/${init.seed}`))
    sharedStarts.set(task, shared)
  }
  return shared
}

function drawState({ layout }: Task, random: Random): TrainState {
  return { parameters: initialise(layout, random), optimizer: new Float32Array(0), steps: 0 }
}
