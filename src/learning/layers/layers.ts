import { z } from 'zod'
import { activation } from './activation.ts'
import { add } from './add.ts'
import { batchNorm } from './batch-norm.ts'
import { concat } from './concat.ts'
import { conv2d } from './conv2d.ts'
import { dense } from './dense.ts'
import { depthwiseConv2d } from './depthwise-conv2d.ts'
import { dropout } from './dropout.ts'
import { flatten } from './flatten.ts'
import { globalAveragePool2d } from './global-average-pool.ts'
import { groupNorm } from './group-norm.ts'
import { layerNorm } from './layer-norm.ts'
import type { LayerKind } from './layer.ts'
import { avgPool2d, maxPool2d } from './pool.ts'

/** Every kind of layer, by the name that specs call it. */
export const layerKinds = {
  activation,
  add,
  avgPool2d,
  batchNorm,
  concat,
  conv2d,
  dense,
  depthwiseConv2d,
  dropout,
  flatten,
  globalAveragePool2d,
  groupNorm,
  layerNorm,
  maxPool2d
} as const

export const layerSpecSchema = z.discriminatedUnion('kind', [
  activation.schema,
  add.schema,
  avgPool2d.schema,
  batchNorm.schema,
  concat.schema,
  conv2d.schema,
  dense.schema,
  depthwiseConv2d.schema,
  dropout.schema,
  flatten.schema,
  globalAveragePool2d.schema,
  groupNorm.schema,
  layerNorm.schema,
  maxPool2d.schema
])

export type LayerSpec = z.infer<typeof layerSpecSchema>

export function kindOf({ kind }: LayerSpec): LayerKind {
  return layerKinds[kind]
}
