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
