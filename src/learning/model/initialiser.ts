import type { serialization } from '@tensorflow/tfjs'
import type { TensorSpec } from '../layout.ts'

type Initialiser = TensorSpec['initialiser']

/** Deviation of a standard normal cut off at ±2: √(1 − 4φ(2) / (2Φ(2) − 1)). */
const deviationOfTruncatedNormal = 0.8796256610342398

/**
 * What a layer's own initialiser comes to for a tensor of this shape. A normal that would be cut off
 * at two deviations becomes a plain one with the deviation that is left.
 *
 * @returns undefined for one that is neither constant, symmetric uniform nor zero-mean normal
 */
export function resolveInitialiser(
  className: string,
  config: serialization.ConfigDict,
  shape: readonly number[]
): Initialiser | undefined {
  switch (className) {
    case 'Zeros':
      return { kind: 'constant', value: 0 }
    case 'Ones':
      return { kind: 'constant', value: 1 }
    case 'Constant':
      return finite(config.value, (value) => ({ kind: 'constant', value }))
    case 'RandomUniform':
      return config.minval === -Number(config.maxval) ? finite(config.maxval, uniform) : undefined
    case 'RandomNormal':
      return config.mean === 0 ? finite(config.stddev, normal) : undefined
    case 'TruncatedNormal':
      return config.mean === 0
        ? finite(config.stddev, (stddev) => normal(stddev * deviationOfTruncatedNormal))
        : undefined
    case 'VarianceScaling':
      return finite(config.scale, (scale) => {
        const variance = scale / fan(config.mode, shape)
        return config.distribution === 'uniform'
          ? uniform(Math.sqrt(3 * variance))
          : normal(Math.sqrt(variance))
      })
    default:
      return undefined
  }
}

function finite(value: unknown, make: (value: number) => Initialiser): Initialiser | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? make(value) : undefined
}

function uniform(limit: number): Initialiser {
  return limit === 0 ? { kind: 'constant', value: 0 } : { kind: 'uniform', limit: Math.abs(limit) }
}

function normal(deviation: number): Initialiser {
  return deviation === 0
    ? { kind: 'constant', value: 0 }
    : { kind: 'normal', deviation: Math.abs(deviation) }
}

/**
 * Numbers that flow into (or out of, or both) one unit. A kernel's last two sides are the channels in
 * and out, and the sides before them the receptive field; a vector counts by its length.
 */
function fan(mode: unknown, shape: readonly number[]): number {
  const channelsOut = shape.at(-1) ?? 1
  const channelsIn = shape.at(-2) ?? channelsOut
  const field = shape.slice(0, -2).reduce((product, side) => product * side, 1)
  if (mode === 'fanIn') return Math.max(1, field * channelsIn)
  if (mode === 'fanOut') return Math.max(1, field * channelsOut)
  return Math.max(1, (field * (channelsIn + channelsOut)) / 2)
}
