import type { Tensor } from '@tensorflow/tfjs'
import type { Region } from '../engine/plan/region.ts'
import { defineLayer, layerSchema, sizeOf } from './layer.ts'

const schema = layerSchema('flatten', {})

/** All sides in one; nothing moves. */
export const flatten = defineLayer(schema, {
  shape: (_, [input = []]) => [sizeOf(input)],
  plan: (_, { inputs }) => ({ output: inputs[0] as Region, back: (slope) => [slope] }),
  tfjs: (_, { tf, inputs: [input], batchShape }) => tf.reshape(input as Tensor, batchShape)
})
