import type { Tensor4D } from '@tensorflow/tfjs'
import { z } from 'zod'
import type { TensorSpec } from '../layout.ts'
import { activateTfjs, activationSchema, planActivation } from './activation.ts'
import { convolve, filterSlope, inputSlope } from './conv2d-plan.ts'
import { initialiserOf, weightInitialiserSchema, zeros } from './initial.ts'
import { defineLayer, layerSchema, type Shape } from './layer.ts'
import { widthSchema } from './sizes.ts'
import type { Images } from './slide.ts'
import { paddingSchema, pairOf, sidesSchema, windowOf, type Window } from './window.ts'

const schema = layerSchema('conv2d', {
  filters: widthSchema,
  kernelSize: sidesSchema,
  strides: sidesSchema.optional(),
  padding: paddingSchema.optional(),
  activation: activationSchema.optional(),
  useBias: z.boolean().optional(),
  initialiser: weightInitialiserSchema.optional()
})

type Conv2d = z.infer<typeof schema>

/** y = act(W ∗ x + b) over images [height, width, channels]; W of shape [rows, columns, channels, filters]. */
export const conv2d = defineLayer(schema, {
  shape: (spec, [input = []]) => {
    const { height, width } = sliding(spec, input)
    return [height.output, width.output, spec.filters]
  },

  tensors: (spec, [input = []]) => {
    const { filters, useBias = true, initialiser } = spec
    const { height, width, channels } = sliding(spec, input)
    const taps = height.size * width.size
    const kernel: TensorSpec = {
      name: 'kernel',
      shape: [height.size, width.size, channels, filters],
      role: 'weight',
      initialiser: initialiserOf(initialiser, taps * channels, taps * filters)
    }
    return useBias
      ? [kernel, { name: 'bias', shape: [filters], role: 'bias', initialiser: zeros }]
      : [kernel]
  },

  plan(spec, planner) {
    const { filters, activation = 'linear', useBias = true } = spec
    const window = sliding(spec, planner.inputShapes[0] as Shape)
    const { source, target } = convolve(planner, window, filters, {
      useBias,
      clamps: activation === 'relu'
    })
    const pixels = planner.count * target.height * target.width
    const { output, back } = planActivation(activation, target.region, pixels * filters, planner)
    return {
      output,
      back: (slope, [isWanted]) => {
        const sums: Images = { ...target, region: back(slope) }
        filterSlope(planner, window, source, sums)
        if (useBias) {
          planner.call('columnSums', sums.region, pixels, filters, planner.weightSlope('bias'))
        }
        return isWanted === true ? [inputSlope(planner, window, sums)] : []
      }
    }
  },

  tfjs(spec, { tf, inputs: [input], weight }) {
    const { strides = 1, padding = 'valid', activation = 'linear', useBias = true } = spec
    const [rowStride, columnStride] = pairOf(strides)
    const kernel = weight('kernel') as Tensor4D
    const sums = tf.conv2d(input as Tensor4D, kernel, [rowStride, columnStride], padding)
    return activateTfjs(tf, activation, useBias ? tf.add(sums, weight('bias')) : sums)
  }
})

function sliding({ kernelSize, strides = 1, padding = 'valid' }: Conv2d, input: Shape): Window {
  return windowOf({ size: kernelSize, strides, padding }, input)
}
