import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { present } from '../../core/assert.ts'
import { partBytesMax } from '../../core/limits.ts'
import { selectLabels } from './dataset.ts'
import { badData, readWhole } from './file.ts'
import { checkPartSize, type Source, type SourcePart } from './source.ts'

/**
 * CIFAR-10 and CIFAR-100 in their binary version (Krizhevsky, "Learning Multiple Layers of Features
 * from Tiny Images", 2009): records of one or two labels, then the red, green and blue plane of an
 * image, a byte for each pixel, row by row.
 */

const side = 32
const channels = 3
const plane = side * side
const pixels = channels * plane
/** A byte becomes a float32. */
const fileBytesMax = partBytesMax / Float32Array.BYTES_PER_ELEMENT

interface Edition {
  readonly name: string
  /** What the archive unpacks to. */
  readonly folder: string
  readonly train: readonly string[]
  readonly test: readonly string[]
  /** Classes of each label that a record starts with; the last label is the one to be learned. */
  readonly classes: readonly [...coarser: number[], learned: number]
}

const editions: readonly Edition[] = [
  {
    name: 'CIFAR-10',
    folder: 'cifar-10-batches-bin',
    train: [1, 2, 3, 4, 5].map((batch) => `data_batch_${batch}.bin`),
    test: ['test_batch.bin'],
    classes: [10]
  },
  {
    name: 'CIFAR-100',
    folder: 'cifar-100-binary',
    train: ['train.bin'],
    test: ['test.bin'],
    classes: [20, 100]
  }
]

/**
 * @param directory - holds the files of one edition, or the folder that its archive unpacks to
 * @returns images of shape [32, 32, 3] in [0, 1]; of CIFAR-100 the 100 fine classes
 * @throws STARLING_BAD_DATA naming the file, what was found and what was expected
 */
export function openCifar(directory: string): Source {
  const { edition, place } = findEdition(directory)
  return {
    shape: [side, side, channels],
    classes: edition.classes.at(-1) as number,
    train: partOf(edition, place, edition.train),
    test: partOf(edition, place, edition.test)
  }
}

function findEdition(directory: string): { edition: Edition; place: string } {
  const found = editions.flatMap((edition) =>
    [directory, join(directory, edition.folder)]
      .filter((place) => filesOf(edition).some((name) => existsSync(join(place, name))))
      .map((place) => ({ edition, place }))
  )
  const [first] = found
  if (first === undefined) {
    const files = editions.map((edition) => `${filesOf(edition).join(', ')} (${edition.name})`)
    const folders = editions.map(({ folder }) => folder)
    throw badData(
      directory,
      `holds no CIFAR: looked there and in its folders ${folders.join(' and ')} for ` +
        `${files.join(', or ')}; they are in the archives of the binary version`
    )
  }
  if (found.length > 1) {
    const places = found.map(({ edition, place }) => `${edition.name} in ${place}`)
    throw badData(directory, `holds more than one CIFAR, ${places.join(' and ')}: name one of them`)
  }
  return first
}

function filesOf({ train, test }: Edition): readonly string[] {
  return [...train, ...test]
}

function partOf(edition: Edition, place: string, names: readonly string[]): SourcePart {
  const labelBytes = edition.classes.length
  const records = names.flatMap((name) => recordsOf(edition, join(place, name)))
  const count = records.length
  checkPartSize(place, count, pixels)
  const labels = {
    labels: Uint16Array.from(records, (record) => record[labelBytes - 1] as number),
    count
  }
  return {
    ...labels,
    read(chosen) {
      const features = new Float32Array(chosen.length * pixels)
      for (const [to, from] of chosen.entries()) {
        const image = present(records[from], `image ${from}`).subarray(labelBytes)
        for (let at = 0; at < plane; at++) {
          for (let channel = 0; channel < channels; channel++) {
            const value = (image[channel * plane + at] as number) / 255
            features[to * pixels + at * channels + channel] = value
          }
        }
      }
      return { features, ...selectLabels(labels, chosen) }
    }
  }
}

/** Each record's bytes: labels, then pixels. */
function recordsOf({ name, classes }: Edition, file: string): Uint8Array[] {
  const bytes = readWhole(file, `${name} file`, fileBytesMax)
  const recordBytes = classes.length + pixels
  if (bytes.length === 0 || bytes.length % recordBytes !== 0) {
    throw badData(
      file,
      `has ${bytes.length} bytes, expected one or more records of ${recordBytes}; ` +
        `it was cut short, or is no file of ${name}`
    )
  }
  return Array.from({ length: bytes.length / recordBytes }, (_, row) => {
    const record = bytes.subarray(row * recordBytes, (row + 1) * recordBytes)
    const wrong = classes.findIndex((count, at) => (record[at] as number) >= count)
    if (wrong === -1) return record
    throw badData(
      file,
      `has the label ${record[wrong] as number} at image ${row} (counted from 0), expected 0 to ` +
        `${(classes[wrong] as number) - 1}; it is damaged, or no file of ${name}`
    )
  })
}
