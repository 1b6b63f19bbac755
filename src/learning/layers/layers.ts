import { z } from 'zod'
import { activation } from './activation.ts'
import { dense } from './dense.ts'
import { flatten } from './flatten.ts'
import type { LayerKind } from './layer.ts'

/** Every kind of layer, by the name that specs call it. */
export const layerKinds = { activation, dense, flatten } as const

export const layerSpecSchema = z.discriminatedUnion('kind', [
  activation.schema,
  dense.schema,
  flatten.schema
])

export type LayerSpec = z.infer<typeof layerSpecSchema>

export function kindOf({ kind }: LayerSpec): LayerKind {
  return layerKinds[kind]
}
