import { statSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { StarlingError } from '../../core/errors.ts'
import { featuresMax, partBytesMax } from '../../core/limits.ts'
import type { DataSchema } from './dataset.ts'
import { badData, readWhole } from './file.ts'
import { checkPartSize, type SourcePart } from './source.ts'

/**
 * IDX, the format of MNIST and its relatives. Big-endian: int32 magic, one int32 for each
 * dimension, then one unsigned byte for each element.
 */

const partNames = {
  train: { images: 'train-images-idx3-ubyte', labels: 'train-labels-idx1-ubyte' },
  test: { images: 't10k-images-idx3-ubyte', labels: 't10k-labels-idx1-ubyte' }
}
export type IdxPart = keyof typeof partNames

/** Unsigned bytes in three dimensions, and in one. */
const imagesMagic = 0x00000803
const labelsMagic = 0x00000801
const imagesHeaderBytes = 16
const labelsHeaderBytes = 8
/** A byte becomes a float32. */
const fileBytesMax = imagesHeaderBytes + partBytesMax / Float32Array.BYTES_PER_ELEMENT

export interface IdxImages {
  readonly count: number
  readonly rows: number
  readonly columns: number
  /** Shape [count, rows, columns], 0 to 255. */
  readonly pixels: Uint8Array
}

/**
 * @param file - named in errors
 * @throws STARLING_BAD_DATA when the bytes are no images, too many, too few, or too large
 */
export function parseIdxImages(bytes: Uint8Array, file: string): IdxImages {
  const header = headerOf(bytes, file, imagesMagic, imagesHeaderBytes)
  const count = header.getUint32(4)
  const rows = header.getUint32(8)
  const columns = header.getUint32(12)
  if (count === 0 || rows === 0 || columns === 0 || rows * columns > featuresMax) {
    throw badData(
      file,
      `announces ${count} images of ${rows} x ${columns}; expected at least one image of ` +
        `1 to ${featuresMax} pixels`
    )
  }
  checkPartSize(file, count, rows * columns)
  checkLength(
    bytes,
    file,
    imagesHeaderBytes + count * rows * columns,
    `${count} images of ${rows} x ${columns}`
  )
  return { count, rows, columns, pixels: bytes.subarray(imagesHeaderBytes) }
}

/**
 * @returns one class for each sample
 * @throws STARLING_BAD_DATA when the bytes are no labels, too many or too few
 */
export function parseIdxLabels(bytes: Uint8Array, file: string): Uint8Array {
  const header = headerOf(bytes, file, labelsMagic, labelsHeaderBytes)
  const count = header.getUint32(4)
  checkLength(bytes, file, labelsHeaderBytes + count, `${count} labels`)
  return bytes.subarray(labelsHeaderBytes)
}

/** Whether a directory holds any of the part's files. */
export function hasIdxPart(directory: string, part: IdxPart): boolean {
  return Object.values(partNames[part]).some((name) => fileOf(directory, name) !== undefined)
}

/** A source that may have no test part. */
export interface IdxSource extends DataSchema {
  readonly train: SourcePart
  readonly test: SourcePart | undefined
}

/**
 * The parts of a directory; each is two files, plain or `.gz`.
 *
 * @param needsTest - whether a directory without a test part is an error
 * @param classes - how many there are, when that is known; else one more than the largest label
 * @returns images of shape [rows, columns, 1], scaled to [0, 1]
 * @throws STARLING_BAD_DATA naming the file, what was found and what was expected
 */
export function openIdx(directory: string, needsTest: boolean, classes?: number): IdxSource {
  const train = readPart(directory, 'train')
  const test = needsTest || hasIdxPart(directory, 'test') ? readPart(directory, 'test') : undefined
  if (test !== undefined && (test.rows !== train.rows || test.columns !== train.columns)) {
    throw badData(
      test.file,
      `has images of ${test.rows} x ${test.columns}, those for training are ${train.rows} x ${train.columns}`
    )
  }
  let largest = 0
  for (const { labels, labelsFile } of test === undefined ? [train] : [train, test]) {
    if (classes !== undefined) checkLabels(labels, labelsFile, classes)
    largest = labels.reduce((most, label) => Math.max(most, label), largest)
  }
  return {
    shape: [train.rows, train.columns, 1],
    classes: classes ?? Math.max(2, largest + 1),
    train: sourcePart(train),
    test: test === undefined ? undefined : sourcePart(test)
  }
}

interface ReadPart extends IdxImages {
  readonly file: string
  readonly labelsFile: string
  readonly labels: Uint8Array
}

function readPart(directory: string, part: IdxPart): ReadPart {
  const file = requireFile(directory, partNames[part].images)
  const images = parseIdxImages(readBounded(file), file)
  const labelsFile = requireFile(directory, partNames[part].labels)
  const labels = parseIdxLabels(readBounded(labelsFile), labelsFile)
  if (labels.length !== images.count) {
    throw badData(labelsFile, `has ${labels.length} labels, but ${file} has ${images.count} images`)
  }
  return { ...images, file, labelsFile, labels }
}

function sourcePart({ rows, columns, count, pixels, labels }: ReadPart): SourcePart {
  const size = rows * columns
  const all = Uint16Array.from(labels)
  return {
    labels: all,
    count,
    read(chosen) {
      const features = new Float32Array(chosen.length * size)
      const chosenLabels = new Uint16Array(chosen.length)
      for (const [to, from] of chosen.entries()) {
        for (let i = 0; i < size; i++) {
          features[to * size + i] = (pixels[from * size + i] as number) / 255
        }
        chosenLabels[to] = all[from] as number
      }
      return { features, labels: chosenLabels, count: chosen.length }
    }
  }
}

function headerOf(bytes: Uint8Array, file: string, magic: number, length: number): DataView {
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found = bytes.length < 4 ? undefined : header.getUint32(0)
  if (found !== undefined && found !== magic) {
    throw badData(
      file,
      `starts with the magic number ${found}, expected ${magic}; is it the right file?`
    )
  }
  if (bytes.length < length) {
    throw badData(
      file,
      `has ${bytes.length} bytes, expected a header of ${length}; it was cut short`
    )
  }
  return header
}

function checkLength(bytes: Uint8Array, file: string, expected: number, what: string): void {
  if (bytes.length === expected) return
  const trouble = bytes.length < expected ? 'it was cut short' : 'something follows the data'
  throw badData(file, `has ${bytes.length} bytes, expected ${expected} for ${what}; ${trouble}`)
}

function checkLabels(labels: Uint8Array, file: string, classes: number): void {
  const row = labels.findIndex((label) => label >= classes)
  if (row === -1) return
  throw badData(
    file,
    `has the label ${labels[row] ?? ''} at sample ${row} (counted from 0), expected 0 to ${classes - 1}`
  )
}

function requireFile(directory: string, name: string): string {
  const file = fileOf(directory, name)
  if (file !== undefined) return file
  throw new StarlingError(
    'STARLING_BAD_DATA',
    `a file of the data set is missing: looked in ${directory} for ${name} and ${name}.gz`
  )
}

function fileOf(directory: string, name: string): string | undefined {
  return [join(directory, name), join(directory, `${name}.gz`)].find(
    (file) => statSync(file, { throwIfNoEntry: false })?.isFile() ?? false
  )
}

function readBounded(file: string): Uint8Array {
  const bytes = readWhole(file, 'IDX file', fileBytesMax)
  if (!file.endsWith('.gz')) return bytes
  try {
    return gunzipSync(bytes, { maxOutputLength: fileBytesMax })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw badData(
      file,
      `is no whole gzip file of at most ${fileBytesMax} bytes unpacked (${reason})`
    )
  }
}
