import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isStarlingError } from '../../../src/core/errors.ts'
import { openIdx, parseIdxImages, parseIdxLabels } from '../../../src/learning/data/idx.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'starling-idx-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function idx(magic: number, dimensions: readonly number[], body: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * dimensions.length)
  header.writeUInt32BE(magic)
  for (const [index, dimension] of dimensions.entries())
    header.writeUInt32BE(dimension, 4 + 4 * index)
  return Buffer.concat([header, Buffer.from(body)])
}

/** Two images of one row and three columns. */
const images = idx(2051, [2, 1, 3], [0, 51, 255, 1, 2, 3])
const labels = idx(2049, [2], [3, 0])

const names = {
  trainImages: 'train-images-idx3-ubyte',
  trainLabels: 'train-labels-idx1-ubyte',
  testImages: 't10k-images-idx3-ubyte',
  testLabels: 't10k-labels-idx1-ubyte'
}

function write(files: Partial<Record<keyof typeof names, Buffer>>, suffix = ''): void {
  for (const [name, bytes] of Object.entries(files)) {
    writeFileSync(join(directory, names[name as keyof typeof names] + suffix), bytes)
  }
}

const whole = { trainImages: images, trainLabels: labels, testImages: images, testLabels: labels }

describe('a directory of IDX files', () => {
  it.each([
    ['plain', ''],
    ['packed', '.gz']
  ])('is read when they are %s', (_, suffix) => {
    const packed = Object.fromEntries(
      Object.entries(whole).map(([name, bytes]) => [name, suffix === '' ? bytes : gzipSync(bytes)])
    )
    write(packed, suffix)
    const { shape, classes, train, test } = openIdx(directory, true)

    expect([shape, classes]).toEqual([[1, 3, 1], 4])
    expect(train.read([1, 0])).toEqual({
      features: Float32Array.of(1 / 255, 2 / 255, 3 / 255, 0, 0.2, 1),
      labels: Uint16Array.of(0, 3),
      count: 2
    })
    expect(test?.labels).toEqual(Uint16Array.of(3, 0))
  })

  it('has at least two classes, and as many as are known', () => {
    write({ ...whole, trainLabels: idx(2049, [2], [0, 0]), testLabels: idx(2049, [2], [0, 0]) })

    expect(openIdx(directory, true).classes).toBe(2)
    expect(openIdx(directory, true, 10).classes).toBe(10)
  })

  it('may lack the test part, but only both files of it', () => {
    write({ trainImages: images, trainLabels: labels })
    expect(openIdx(directory, false).test).toBeUndefined()

    write({ testLabels: labels })
    expect(() => openIdx(directory, false)).toThrow(
      't10k-images-idx3-ubyte and t10k-images-idx3-ubyte.gz'
    )
  })

  it.each<[string, Partial<typeof whole>, string]>([
    [
      'a magic number of something else',
      { trainImages: labels },
      'magic number 2049, expected 2051'
    ],
    [
      'a header cut short',
      { trainImages: images.subarray(0, 15) },
      '15 bytes, expected a header of 16'
    ],
    ['an empty file', { trainLabels: Buffer.alloc(0) }, '0 bytes, expected a header of 8'],
    ['images cut short', { trainImages: images.subarray(0, 21) }, '21 bytes, expected 22'],
    [
      'bytes after the images',
      { testImages: Buffer.concat([images, images]) },
      '44 bytes, expected 22'
    ],
    [
      'labels cut short',
      { testLabels: labels.subarray(0, 9) },
      '9 bytes, expected 10 for 2 labels'
    ],
    ['fewer labels than images', { trainLabels: idx(2049, [1], [3]) }, 'has 1 labels, but'],
    ['more labels than images', { trainLabels: idx(2049, [3], [3, 1, 1]) }, 'has 3 labels, but'],
    ['no images', { trainImages: idx(2051, [0, 28, 28], []) }, 'expected at least one image'],
    [
      'images without pixels',
      { trainImages: idx(2051, [2, 0, 28], []) },
      'expected at least one image'
    ],
    [
      'huge images',
      { trainImages: idx(2051, [1, 2 ** 31, 2 ** 31], []) },
      'expected at least one image'
    ],
    ['too many images', { trainImages: idx(2051, [2 ** 32 - 1, 28, 28], []) }, 'MiB are read'],
    ['a label that no class has', { testLabels: idx(2049, [2], [3, 4]) }, 'label 4 at sample 1'],
    ['another size for testing', { testImages: idx(2051, [2, 3, 1], [0, 0, 0, 0, 0, 0]) }, '3 x 1']
  ])('is refused with %s', (_, files, part) => {
    write({ ...whole, ...files })
    expect(() => openIdx(directory, true, 4)).toThrow(
      expect.objectContaining({
        code: 'STARLING_BAD_DATA',
        message: expect.stringContaining(part) as string
      })
    )
  })

  it('is refused when a packed file is cut short, garbled, or no gzip at all', () => {
    const random = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * 7919) % 251))
    const packed = gzipSync(Buffer.concat([idx(2051, [1000, 1, 3], []), random]))
    const garbled = Buffer.from(packed)
    garbled[garbled.length - 6] = (garbled[garbled.length - 6] as number) ^ 1 // in the checksum
    write({ trainLabels: labels, testImages: images, testLabels: labels })

    for (const bytes of [packed.subarray(0, packed.length / 2), garbled, images]) {
      write({ trainImages: bytes }, '.gz')
      expect(() => openIdx(directory, true)).toThrow(
        'train-images-idx3-ubyte.gz is no whole gzip file'
      )
    }
  })

  it('names the files that it looked for', () => {
    expect(() => openIdx(directory, true)).toThrow(
      `looked in ${directory} for train-images-idx3-ubyte and train-images-idx3-ubyte.gz`
    )
  })
})

it('no bytes make the parsers do anything but answer or refuse', () => {
  const almost = fc
    .tuple(fc.constantFrom(images, labels), fc.nat(21), fc.uint8Array({ maxLength: 6 }))
    .map(([good, at, bytes]) =>
      Buffer.concat([good.subarray(0, at), bytes, good.subarray(at + bytes.length)])
    )
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 40 }), almost), (bytes) => {
      for (const parse of [parseIdxImages, parseIdxLabels]) {
        try {
          parse(bytes, 'file')
        } catch (error) {
          expect(isStarlingError(error) && error.code).toBe('STARLING_BAD_DATA')
        }
      }
    })
  )
})
