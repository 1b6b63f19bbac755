import type { Dataset, Samples } from './dataset.ts'

/** A data set in numbers, for people and as plain JSON. */
export interface DatasetDescription {
  readonly name: string
  readonly shape: readonly number[]
  readonly classes: number
  /** Labels per sample, one for each position of a sequence; absent: 1. */
  readonly positions?: number | undefined
  readonly train: PartDescription
  readonly test: PartDescription
}

export interface PartDescription {
  readonly samples: number
  /** Labels of each class, in order of the class's number. */
  readonly classCounts: readonly number[]
  /** Over all features of all samples; null without samples. */
  readonly features: { readonly min: number; readonly max: number; readonly mean: number } | null
}

export function describeDataset({
  name,
  shape,
  classes,
  positions,
  train,
  test
}: Dataset): DatasetDescription {
  return {
    name,
    shape,
    classes,
    positions,
    train: describePart(train, classes),
    test: describePart(test, classes)
  }
}

function describePart({ features, labels, count }: Samples, classes: number): PartDescription {
  const classCounts = new Array<number>(classes).fill(0)
  for (const label of labels) classCounts[label] = (classCounts[label] ?? 0) + 1
  if (count === 0) return { samples: 0, classCounts, features: null }

  let min = Infinity
  let max = -Infinity
  let sum = 0
  for (const value of features) {
    min = Math.min(min, value)
    max = Math.max(max, value)
    sum += value
  }
  return { samples: count, classCounts, features: { min, max, mean: sum / features.length } }
}
