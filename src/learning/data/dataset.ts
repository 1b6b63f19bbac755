/** What there is to learn of some samples, without what they look like. */
export interface Labels {
  /**
   * Classes, 0 ≤ label < classes; shape [count * positions]: one for each sample, or, of sequences,
   * one for each position of each sample.
   */
  readonly labels: Uint16Array
  /** Samples. */
  readonly count: number
}

/**
 * Labelled samples in memory. Immutable: selections copy.
 */
export interface Samples extends Labels {
  /** Row-major, shape [count, ...shape]; images are scaled to [0, 1]. */
  readonly features: Float32Array
}

/** What a sample looks like; part of the task, so that all peers agree. */
export interface DataSchema {
  /** Shape of one sample, such as [28, 28, 1] (height, width, channels) or [64]. */
  readonly shape: readonly number[]
  readonly classes: number
  /** Labels per sample, one for each position of a sequence; absent: 1. */
  readonly positions?: number | undefined
  /** What a model subtracts from every feature, and divides by, before it looks; none: 0 and 1. */
  readonly scale?: Scale | undefined
}

/**
 * Networks learn several times faster from features with mean 0 and deviation 1 (LeCun et al.,
 * "Efficient BackProp", 1998, section 4.3). All peers must use the same numbers, whatever their own
 * samples have, so these are part of the task.
 */
export interface Scale {
  readonly mean: number
  readonly deviation: number
}

/** Mean and standard deviation over all features of all samples, to four digits. */
export function scaleOf({ features }: Samples): Scale {
  let sum = 0
  let squares = 0
  for (const value of features) {
    sum += value
    squares += value * value
  }
  const mean = sum / features.length
  const deviation = Math.sqrt(squares / features.length - mean * mean)
  return { mean: rounded(mean), deviation: rounded(deviation) || 1 }
}

function rounded(value: number): number {
  return Math.round(value * 1e4) / 1e4
}

export interface Dataset extends DataSchema {
  /** Where it came from, as the user wrote it. */
  readonly name: string
  readonly train: Samples
  readonly test: Samples
}

/** Numbers in one sample. */
export function sampleSize(schema: DataSchema): number {
  return schema.shape.reduce((product, side) => product * side, 1)
}

/** Labels of one sample; 1 when there are no samples to tell from. */
export function positionsOf({ labels, count }: Labels): number {
  return count === 0 ? 1 : labels.length / count
}

/** Copy the samples at the given rows, in that order. */
export function selectSamples(samples: Samples, rows: readonly number[]): Samples {
  const size = samples.count === 0 ? 0 : samples.features.length / samples.count
  const features = new Float32Array(rows.length * size)
  for (const [to, from] of rows.entries()) {
    features.set(samples.features.subarray(from * size, (from + 1) * size), to * size)
  }
  return { features, ...selectLabels(samples, rows) }
}

/** Copy the labels of the samples at the given rows, in that order. */
export function selectLabels(samples: Labels, rows: readonly number[]): Labels {
  const positions = positionsOf(samples)
  const labels = new Uint16Array(rows.length * positions)
  for (const [to, from] of rows.entries()) {
    labels.set(samples.labels.subarray(from * positions, (from + 1) * positions), to * positions)
  }
  return { labels, count: rows.length }
}
