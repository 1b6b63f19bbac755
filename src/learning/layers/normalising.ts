import { z } from 'zod'
import type { TensorSpec } from '../layout.ts'
import { ones, zeros } from './initial.ts'

/** Added to variances, so that nothing is divided by zero. */
export const epsilonSchema = z.number().min(1e-12).max(1)
export const epsilonDefault = 1e-3 // as Keras has it

/** The learned factor and offset of every channel. */
export function scaleAndShift(channels: number): TensorSpec[] {
  return [
    { name: 'gamma', shape: [channels], role: 'normalisation', initialiser: ones },
    { name: 'beta', shape: [channels], role: 'normalisation', initialiser: zeros }
  ]
}

/** Workspace of kernels that keep so many bytes for each channel, which they take four at a time. */
export function channelBytes(channels: number, bytes: number): number {
  return 4 * Math.ceil(channels / 4) * bytes
}
