import { z } from 'zod'
import { activation } from './activation.ts'
import { add } from './add.ts'
import { causalSelfAttention } from './attention.ts'
import { batchNorm } from './batch-norm.ts'
import { concat } from './concat.ts'
import { conv2d } from './conv2d.ts'
import { dense } from './dense.ts'
import { depthwiseConv2d } from './depthwise-conv2d.ts'
import { dropout } from './dropout.ts'
import { embedding, positionalEmbedding } from './embedding.ts'
import { flatten } from './flatten.ts'
import { globalAveragePool2d } from './global-average-pool.ts'
import { gptBlockSchema } from './gpt-block.ts'
import { groupNorm } from './group-norm.ts'
import { layerNorm } from './layer-norm.ts'
import type { LayerKind } from './layer.ts'
import { lstm } from './lstm.ts'
import { avgPool2d, maxPool2d } from './pool.ts'

/** Every kind of layer that is computed, by the name that specs call it. */
export const layerKinds = {
  activation,
  add,
  avgPool2d,
  batchNorm,
  causalSelfAttention,
  concat,
  conv2d,
  dense,
  depthwiseConv2d,
  dropout,
  embedding,
  flatten,
  globalAveragePool2d,
  groupNorm,
  layerNorm,
  lstm,
  maxPool2d,
  positionalEmbedding
} as const

export const layerSpecSchema = z.discriminatedUnion('kind', [
  activation.schema,
  add.schema,
  avgPool2d.schema,
  batchNorm.schema,
  causalSelfAttention.schema,
  concat.schema,
  conv2d.schema,
  dense.schema,
  depthwiseConv2d.schema,
  dropout.schema,
  embedding.schema,
  flatten.schema,
  globalAveragePool2d.schema,
  gptBlockSchema,
  groupNorm.schema,
  layerNorm.schema,
  lstm.schema,
  maxPool2d.schema,
  positionalEmbedding.schema
])

export type LayerSpec = z.infer<typeof layerSpecSchema>

/** A layer that is not made of others. */
export type PlainLayerSpec = Exclude<LayerSpec, { kind: 'gptBlock' }>

export function kindOf({ kind }: PlainLayerSpec): LayerKind {
  return layerKinds[kind]
}
