import { z } from 'zod'
import { activation } from './activation.ts'
import { conv2d } from './conv2d.ts'
import { dense } from './dense.ts'
import { depthwiseConv2d } from './depthwise-conv2d.ts'
import { flatten } from './flatten.ts'
import type { LayerBase, LayerKind } from './layer.ts'

/** Every kind of layer, by the name that specs call it. */
export const layerKinds = { activation, conv2d, dense, depthwiseConv2d, flatten } as const

export const layerSpecSchema = z.discriminatedUnion('kind', [
  activation.schema,
  conv2d.schema,
  dense.schema,
  depthwiseConv2d.schema,
  flatten.schema
])

export type LayerSpec = z.infer<typeof layerSpecSchema>

export function kindOf({ kind }: LayerSpec): LayerKind {
  return layerKinds[kind] as LayerKind<LayerBase>
}
