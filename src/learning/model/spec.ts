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
  }),
  /** Residual networks of 8 and 20 layers for small images: He et al., 2015. */
  z.strictObject({ preset: z.literal('resnet8') }),
  z.strictObject({ preset: z.literal('resnet20') }),
  /** Dense blocks for tables of features. */
  z.strictObject({
    preset: z.literal('tabular'),
    hidden: z.array(width).min(1).max(16).default([128, 128]),
    /** Share of each block's units that are left out at every training step. */
    dropout: z.number().min(0).max(0.9).default(0.1)
  }),
  /** A small GPT over characters. */
  z.strictObject({
    preset: z.literal('chargpt'),
    /** Transformer blocks. */
    layers: z.int().min(1).max(64).default(4),
    width: width.default(128),
    heads: z.int().min(1).max(1024).default(4),
    dropout: z.number().min(0).max(0.99).default(0)
  })
])

/**
 * A preset, a list of our own layers (docs/engine.md), or a tfjs-layers topology (`model.toJSON()` of a
 * Sequential or functional model).
 */
export const modelSchema = z.union([
  presetSchema,
  z.strictObject({ layers: z.array(layerSpecSchema).min(1).max(layersMax) }),
  z.strictObject({ topology: z.record(z.string(), z.json()) })
])

export type ModelSpec = z.infer<typeof modelSchema>
export type PresetSpec = z.infer<typeof presetSchema>

/** Names of all presets, in the order of their schema. */
export const presetNames = presetSchema.options.map(({ shape }) => shape.preset.value)
