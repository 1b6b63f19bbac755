import { StarlingError } from '../../core/errors.ts'
import { partBytesMax } from '../../core/limits.ts'
import { selectLabels, type DataSchema, type Labels, type Samples } from './dataset.ts'

/**
 * One part (train or test) of a source before samples are chosen from it. All the labels are there;
 * features are made for chosen rows only, so that a peer pays for its own shard and not for all.
 */
export interface SourcePart extends Labels {
  /** The samples at these rows, in that order. */
  read(rows: readonly number[]): Samples
}

export interface Source extends DataSchema {
  readonly train: SourcePart
  readonly test: SourcePart
}

/** The rows of a part as a part of its own. */
export function subPart(part: SourcePart, rows: readonly number[]): SourcePart {
  return {
    ...selectLabels(part, rows),
    read: (chosen) => part.read(chosen.map((index) => rows[index] as number))
  }
}

/**
 * @param what - names the file or source in the message
 * @throws STARLING_BAD_DATA when the samples would not fit the memory set aside for a part
 */
export function checkPartSize(what: string, count: number, features: number): void {
  const bytes = count * features * Float32Array.BYTES_PER_ELEMENT
  if (bytes > partBytesMax) {
    throw new StarlingError(
      'STARLING_BAD_DATA',
      `${what} has ${count} samples of ${features} features, ${Math.ceil(bytes / 2 ** 20)} MiB; ` +
        `at most ${partBytesMax / 2 ** 20} MiB are read`
    )
  }
}
