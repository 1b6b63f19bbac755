import { z } from 'zod'
import { layersMax } from '../../core/limits.ts'
import { layerSpecSchema } from '../layers/layers.ts'

const width = z.int().min(1).max(65_536)

/** A model by name. */
export const presetSchema = z.discriminatedUnion('preset', [
  z.strictObject({ preset: z.literal('logreg') }),
  z.strictObject({ preset: z.literal('mlp'), hidden: z.array(width).max(64).default([64]) }),
  z.strictObject({
    preset: z.literal('cnn'),
    /** Output channels of each 3 × 3 convolution, each followed by 2 × 2 max pooling. */
    filters: z.array(width).min(1).max(8).default([16, 32]),
    /** Units of the dense layer before the output. */
    hidden: width.default(64)
  })
])

/** A preset, a list of our own layers (docs/engine.md), or a tfjs-layers topology (`model.toJSON()` of a Sequential or functional model). */
export const modelSchema = z.union([
  presetSchema,
  z.strictObject({ layers: z.array(layerSpecSchema).min(1).max(layersMax) }),
  z.strictObject({ topology: z.record(z.string(), z.json()) })
])

export type ModelSpec = z.infer<typeof modelSchema>
