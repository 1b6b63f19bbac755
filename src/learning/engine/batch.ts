import { StarlingError } from '../../core/errors.ts'
import type { Samples } from '../data/dataset.ts'
import type { Layout } from '../layout.ts'

/** @throws STARLING_SHAPE_MISMATCH when the parameters are of another model */
export function requireParameters({ parameterCount }: Layout, parameters: Float32Array): void {
  if (parameters.length === parameterCount) return
  throw new StarlingError(
    'STARLING_SHAPE_MISMATCH',
    `the model has ${parameterCount} parameters, not ${parameters.length}`
  )
}

/**
 * @param chosen - how many of the samples are in it
 * @throws STARLING_BAD_DATA when there are none, or they are of another size
 */
export function requireBatch(
  { features, labels, count }: Samples,
  chosen: number,
  sampleSize: number,
  labelsPerSample: number
): void {
  if (chosen === 0) {
    throw new StarlingError('STARLING_BAD_DATA', 'a batch has at least one sample, this one none')
  }
  if (features.length !== count * sampleSize || labels.length !== count * labelsPerSample) {
    throw new StarlingError(
      'STARLING_BAD_DATA',
      `${count} samples of ${sampleSize} features come with ${features.length} features and ` +
        `${labels.length} labels`
    )
  }
}
