import { z } from 'zod'
import { layerSchema } from './layer.ts'

/** Stands for the plain layers that src/learning/model/gpt-block.ts makes of it. */
export const gptBlockSchema = layerSchema('gptBlock', {
  heads: z.int().min(1).max(1024),
  /** Width of the hidden layer, as a multiple of the sequence's. */
  expansion: z.int().min(1).max(64).optional(),
  /** Rate of what is dropped from what each half adds; the attention's weights are left alone. */
  dropout: z.number().min(0).max(0.99).optional()
})
