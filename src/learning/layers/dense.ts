import type { Tensor } from '@tensorflow/tfjs'
import { z } from 'zod'
import type { TensorSpec } from '../layout.ts'
import { activateTfjs, activationSchema, planActivation } from './activation.ts'
import { gemm } from './gemm.ts'
import { initialiserOf, weightInitialiserSchema, zeros } from './initial.ts'
import { defineLayer, layerSchema, LayerError, sizeOf, type Shape } from './layer.ts'
import { widthSchema } from './sizes.ts'

const schema = layerSchema('dense', {
  units: widthSchema,
  activation: activationSchema.optional(),
  useBias: z.boolean().optional(),
  initialiser: weightInitialiserSchema.optional()
})

/** y = act(x · W + b) over the last side; all other sides are rows. */
export const dense = defineLayer(schema, {
  shape: ({ units }, [input = []]) => {
    if (input.length === 0) throw new LayerError('needs an input with at least one side')
    return [...input.slice(0, -1), units]
  },

  tensors: ({ units, useBias = true, initialiser }, [input = []]) => {
    const width = widthOf(input)
    const kernel: TensorSpec = {
      name: 'kernel',
      shape: [width, units],
      role: 'weight',
      initialiser: initialiserOf(initialiser, width, units)
    }
    return useBias
      ? [kernel, { name: 'bias', shape: [units], role: 'bias', initialiser: zeros }]
      : [kernel]
  },

  plan({ units, activation = 'linear', useBias = true }, planner) {
    const { count, inputs, inputShapes, weight, weightSlope } = planner
    const [input, [shape = []]] = [inputs[0] as (typeof inputs)[0], inputShapes] as const
    const width = widthOf(shape)
    const rows = (count * sizeOf(shape)) / width
    const sums = planner.floats(rows * units)
    gemm(planner, {
      ...{ m: rows, n: units, k: width },
      a: { region: input, row: width, column: 1 },
      b: { region: weight('kernel'), row: units, column: 1 },
      c: sums,
      ...(useBias && { bias: weight('bias') }),
      mode: activation === 'relu' ? 'relu' : 'overwrite'
    })
    const { output, back } = planActivation(activation, sums, rows * units, planner)
    return {
      output,
      back: (slope, [isWanted]) => {
        const sumSlope = back(slope)
        gemm(planner, {
          ...{ m: width, n: units, k: rows },
          a: { region: input, row: 1, column: width },
          b: { region: sumSlope, row: units, column: 1 },
          c: weightSlope('kernel'),
          mode: 'overwrite'
        })
        if (useBias) planner.call('columnSums', sumSlope, rows, units, weightSlope('bias'))
        if (isWanted !== true) return []
        const inputSlope = planner.floats(rows * width)
        gemm(planner, {
          ...{ m: rows, n: width, k: units },
          a: { region: sumSlope, row: units, column: 1 },
          b: { region: weight('kernel'), row: 1, column: units },
          c: inputSlope,
          mode: 'overwrite'
        })
        return [inputSlope]
      }
    }
  },

  tfjs({ activation = 'linear', useBias = true }, { tf, inputs: [input], batchShape, weight }) {
    const width = widthOf((input as Tensor).shape)
    const rows = tf.reshape(input as Tensor, [-1, width])
    const sums = tf.matMul(rows, weight('kernel'))
    const shifted = useBias ? tf.add(sums, weight('bias')) : sums
    return tf.reshape(activateTfjs(tf, activation, shifted), batchShape)
  }
})

function widthOf(shape: Shape): number {
  return shape.at(-1) ?? 1
}
