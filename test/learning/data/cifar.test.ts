import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openCifar } from '../../../src/learning/data/cifar.ts'
import { loadDataset } from '../../../src/learning/data/spec.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'starling-cifar-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const plane = 32 * 32

/** An image whose red is `red`, whose green is its row and whose blue is its column. */
function record(labels: readonly number[], red: number): Buffer {
  const pixels = Array.from({ length: plane }, (_, at) => [red, Math.floor(at / 32), at % 32])
  const planes = [0, 1, 2].flatMap((channel) => pixels.map((colours) => colours[channel] as number))
  return Buffer.from([...labels, ...planes])
}

function write(files: Readonly<Record<string, Buffer>>, folder = '.'): void {
  for (const [name, bytes] of Object.entries(files)) {
    const file = join(directory, folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, bytes)
  }
}

/** Two images in the first batch, one in each of the others. */
const ten = {
  'data_batch_1.bin': Buffer.concat([record([9], 10), record([0], 11)]),
  'data_batch_2.bin': record([2], 20),
  'data_batch_3.bin': record([3], 30),
  'data_batch_4.bin': record([4], 40),
  'data_batch_5.bin': record([5], 50),
  'test_batch.bin': record([7], 255)
}
const hundred = {
  'train.bin': Buffer.concat([record([19, 99], 1), record([0, 50], 2)]),
  'test.bin': record([1, 0], 3)
}

describe('CIFAR-10', () => {
  it('is its five batches in order and a test part', () => {
    write(ten)
    const { shape, classes, train, test } = openCifar(directory)

    expect([shape, classes, train.count, test.count]).toEqual([[32, 32, 3], 10, 6, 1])
    expect([...train.labels]).toEqual([9, 0, 2, 3, 4, 5])
    expect([...test.labels]).toEqual([7])
  })

  it('has the colours of a pixel side by side, rows before columns, in [0, 1]', () => {
    write(ten)
    const { features, labels, count } = openCifar(directory).train.read([5, 1])
    const pixel = (image: number, row: number, column: number) => {
      const at = ((image * 32 + row) * 32 + column) * 3
      return [...features.subarray(at, at + 3)].map((value) => Math.round(value * 255 * 1e4) / 1e4)
    }

    expect([count, features.length, [...labels]]).toEqual([2, 2 * 3072, [5, 0]])
    expect(pixel(0, 0, 0)).toEqual([50, 0, 0])
    expect(pixel(0, 3, 17)).toEqual([50, 3, 17])
    expect(pixel(1, 31, 30)).toEqual([11, 31, 30])
    expect(openCifar(directory).test.read([0]).features[0]).toBe(1)
  })
})

describe('CIFAR-100', () => {
  it('is learned by its fine labels', () => {
    write(hundred)
    const { shape, classes, train, test } = openCifar(directory)

    expect([shape, classes]).toEqual([[32, 32, 3], 100])
    expect([...train.labels, ...test.labels]).toEqual([99, 50, 0])
    expect(train.read([1]).features[0]).toBe(Math.fround(2 / 255))
  })
})

describe('CIFAR', () => {
  it('is found in the folder that its archive unpacks to', () => {
    write(hundred, 'cifar-100-binary')
    expect(openCifar(directory).classes).toBe(100)
    write(ten, 'cifar-10-batches-bin')
    expect(openCifar(join(directory, 'cifar-10-batches-bin')).classes).toBe(10)
    expect(() => openCifar(directory)).toThrow(
      /holds more than one CIFAR, CIFAR-10 in .*cifar-10-batches-bin and CIFAR-100 in .*: name one/
    )
  })

  it('is a data SPEC, with shards', () => {
    write(ten)
    const load = (options: string) => loadDataset(`cifar:${directory}${options}`)

    const shards = [0, 1, 2].map((index) => load(`?shard=${index}/3&partition=classes:2`).train)
    expect(shards.flatMap(({ labels }) => [...labels]).sort()).toEqual([0, 2, 3, 4, 5, 9])
    expect(load('?limit=3')).toMatchObject({ shape: [32, 32, 3], train: { count: 3 } })
    expect(() => load('?holdout=0.5')).toThrow("'holdout' is for data without a test part")
  })

  it.each<[string, Readonly<Record<string, Buffer>>, RegExp]>([
    [
      'a batch cut short',
      { ...ten, 'data_batch_3.bin': record([3], 30).subarray(1) },
      /data_batch_3\.bin has 3072 bytes, expected one or more records of 3073; it was cut short/
    ],
    [
      'bytes that follow the test part',
      { ...ten, 'test_batch.bin': Buffer.concat([record([3], 30), Buffer.alloc(5)]) },
      /test_batch\.bin has 3078 bytes/
    ],
    ['an empty file', { ...hundred, 'train.bin': Buffer.alloc(0) }, /train\.bin has 0 bytes/],
    [
      'a file of the other edition',
      { ...hundred, 'train.bin': record([3], 30) },
      /train\.bin has 3073 bytes, expected one or more records of 3074; .* no file of CIFAR-100/
    ],
    [
      'a label that no class has',
      { ...ten, 'data_batch_1.bin': Buffer.concat([record([9], 0), record([10], 0)]) },
      /data_batch_1\.bin has the label 10 at image 1 \(counted from 0\), expected 0 to 9/
    ],
    [
      'a coarse label that no class has',
      { ...hundred, 'test.bin': record([20, 5], 0) },
      /test\.bin has the label 20 at image 0 .* expected 0 to 19/
    ],
    [
      'a fine label that no class has',
      { ...hundred, 'test.bin': record([5, 100], 0) },
      /test\.bin has the label 100 at image 0 .* expected 0 to 99/
    ],
    [
      'a part that is not there',
      { 'test.bin': hundred['test.bin'] },
      /there is no CIFAR-100 file at .*train\.bin/
    ],
    [
      'a batch that is not there',
      { 'data_batch_1.bin': ten['data_batch_1.bin'] },
      /there is no CIFAR-10 file at .*data_batch_2\.bin/
    ],
    ['nothing of it there', {}, /holds no CIFAR: looked there and in its folders cifar-10-batches/]
  ])('is refused with %s', (_, files, message) => {
    write(files)
    expect(() => openCifar(directory)).toThrow(message)
    expect(() => openCifar(directory)).toThrow(
      expect.objectContaining({ code: 'STARLING_BAD_DATA' })
    )
  })

  it('is refused when a directory has the name of a file', () => {
    write(ten)
    rmSync(join(directory, 'data_batch_4.bin'))
    mkdirSync(join(directory, 'data_batch_4.bin'))
    expect(() => openCifar(directory)).toThrow(/data_batch_4\.bin is a directory/)
  })
})
