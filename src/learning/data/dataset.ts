/**
 * Labelled samples in memory. Immutable: selections copy.
 */
export interface Samples {
  /** Row-major, shape [count, ...shape]; images are scaled to [0, 1]. */
  readonly features: Float32Array
  /** Class of each sample, 0 ≤ label < classes; shape [count]. */
  readonly labels: Uint16Array
  readonly count: number
}

/** What a sample looks like; part of the task, so that all peers agree. */
export interface DataSchema {
  /** Shape of one sample, such as [28, 28, 1] (height, width, channels) or [64]. */
  readonly shape: readonly number[]
  readonly classes: number
  /** Labels per sample, one per position of a sequence; absent: 1. */
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

/** Copy the samples at the given rows, in that order. */
export function selectSamples(samples: Samples, rows: readonly number[], size: number): Samples {
  const features = new Float32Array(rows.length * size)
  const labels = new Uint16Array(rows.length)
  for (const [to, from] of rows.entries()) {
    features.set(samples.features.subarray(from * size, (from + 1) * size), to * size)
    labels[to] = samples.labels[from] ?? 0
  }
  return { features, labels, count: rows.length }
}
