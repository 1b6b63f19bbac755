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

/**
 * @param bound - what a model that looks features up has room for
 * @throws STARLING_BAD_DATA naming the first feature of the rows that is none of 0 … bound − 1
 */
export function requireIndices(
  features: Float32Array,
  rows: Iterable<number>,
  sampleSize: number,
  bound: number
): void {
  for (const row of rows) {
    for (let place = row * sampleSize; place < (row + 1) * sampleSize; place++) {
      const index = features[place] as number
      if (index >= 0 && index < bound) continue
      throw new StarlingError(
        'STARLING_BAD_DATA',
        `sample ${row} has the index ${index} at position ${place - row * sampleSize}, but the ` +
          `model's vocabulary has ${bound} entries, counted from 0: give the embedding more, or ` +
          'other data'
      )
    }
  }
}

/**
 * What to throw when some feature of the rows is not finite: names the first.
 * @param rows - one of them has such a feature
 */
export function notFinite(
  { features }: Samples,
  rows: readonly number[],
  sampleSize: number
): StarlingError {
  const [row = 0, feature = 0] = rows
    .map((row) => {
      const own = features.subarray(row * sampleSize, (row + 1) * sampleSize)
      return [row, own.findIndex((value) => !Number.isFinite(value))] as const
    })
    .find(([, feature]) => feature !== -1) as readonly [number, number]
  const value = features[row * sampleSize + feature]
  return new StarlingError(
    'STARLING_BAD_DATA',
    `sample ${row} has ${value} as feature ${feature} (both counted from 0), which is not a finite ` +
      'number: remove the sample, or put a number there'
  )
}
