import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Samples } from '../../../src/learning/data/dataset.ts'
import { loadDataset, parseDataSpec } from '../../../src/learning/data/spec.ts'

/** Each sample as text, to compare sets of them. */
function samplesOf({ features, labels, count }: Samples): string[] {
  const size = features.length / count
  return Array.from(
    { length: count },
    (_, row) => `${labels[row]}: ${features.subarray(row * size, (row + 1) * size).join()}`
  )
}

describe('a data SPEC', () => {
  it('is a source and options', () => {
    const spec = parseDataSpec(
      'csv:C:/my data/a+b.csv?label=a+b%26c&holdout=.3&shard=2/7&partition=classes:2&samples=9&seed=4&test=8'
    )

    expect(spec).toEqual({
      source: { kind: 'csv', path: 'C:/my data/a+b.csv' },
      options: {
        label: 'a+b&c',
        holdout: 0.3,
        shard: { index: 2, count: 7 },
        partition: { kind: 'classes', perPeer: 2 },
        samples: 9,
        seed: 4,
        test: 8
      }
    })
  })

  it.each([
    [
      'glyps',
      "there is no data source 'glyps'; did you mean 'glyphs'? Known: glyphs, fashion-mnist"
    ],
    ['', "there is no data source ''"],
    ['imagenet:/data', "there is no data source 'imagenet'"],
    [
      'glyphs?limt=5',
      "there is no data option 'limt'; did you mean 'limit'? Known: limit, test, holdout"
    ],
    ['glyphs?__proto__=5', "there is no data option '__proto__'"],
    ['glyphs?limit=5&limit=6', "'limit' is given twice"],
    ['glyphs?limit=0', 'expected at least 1'],
    ['glyphs?limit=-5', 'expected a whole number'],
    ['glyphs?limit=1e3', 'expected a whole number'],
    ['glyphs?limit', 'expected a whole number'],
    ['glyphs?seed=99999999999999999999', 'seed'],
    ['glyphs?shard=5/5', 'expected 0 ≤ i < n'],
    ['glyphs?shard=1', "expected 'i/n', such as 0/5"],
    ['glyphs?shard=0/1&partition=dirichet:1', "there is no partition 'dirichet'"],
    ['glyphs?partition=iid', 'add shard=i/n'],
    ['glyphs?samples=5', 'add shard=i/n'],
    ['glyphs?label=x', "'label' is for csv only"],
    ['glyphs:5', "'glyphs' takes no path"],
    ['mnist:/data', "'mnist' takes no path"],
    ['idx', "'idx' needs a path: idx:DIRECTORY"],
    ['csv:?label=x', "'csv' needs a path: csv:FILE?label=COLUMN"],
    ['csv:a.csv', 'say which column holds the class'],
    ['csv:a.csv?label=x&context=8', "'context' is for text only"],
    ['cifar', "'cifar' needs a path: cifar:DIRECTORY"],
    ['text:', "'text' needs a path: text:FILE"],
    ['text:a.txt?label=x', "'label' is for csv only"],
    ['text:a.txt?context=1', 'expected at least 2'],
    ['text:a.txt?context=1025', 'expected at most 1024'],
    ['csv:a.csv?label=x&holdout=1', 'expected less than 1'],
    ['csv:a.csv?label=x&holdout=0', 'expected more than 0'],
    ['csv:a.csv?label=x&holdout=half', 'expected a number']
  ])('is refused as %s', (text, part) => {
    expect(() => parseDataSpec(text)).toThrow(
      expect.objectContaining({
        code: 'STARLING_BAD_ARGUMENT',
        message: expect.stringContaining(part) as string
      })
    )
  })
})

describe('loading', () => {
  it('keeps as many as were asked for, and a smaller choice is part of a larger one', () => {
    const [few, more] = ['glyphs?limit=5&test=3', 'glyphs?limit=9&test=4'].map((spec) =>
      loadDataset(spec)
    )

    expect([few?.train.count, few?.test.count, few?.shape, few?.classes]).toEqual([
      5,
      3,
      [28, 28, 1],
      10
    ])
    expect(few?.name).toBe('glyphs?limit=5&test=3')
    expect(samplesOf(more?.train as Samples).slice(0, 5)).toEqual(samplesOf(few?.train as Samples))
  })

  it('gives each shard its own samples, all shards together all of them, and one test part', () => {
    const whole = loadDataset('glyphs?limit=50&test=5')
    const shards = [0, 1, 2].map((index) =>
      loadDataset(`glyphs?limit=50&test=5&shard=${index}/3&partition=dirichlet:0.3`)
    )

    expect(shards.flatMap(({ train }) => samplesOf(train)).sort()).toEqual(
      samplesOf(whole.train).sort()
    )
    for (const { test } of shards) expect(test).toEqual(whole.test)
  })

  it('says where it looked for a data set that is not here', () => {
    expect(() =>
      loadDataset('mnist', { dataDirectory: '/nowhere', homeDirectory: '/home/none' })
    ).toThrow(
      'mnist is not here: looked in /nowhere/mnist, /home/none/data/mnist for its four IDX files'
    )
    expect(() => loadDataset('mnist')).toThrow('looked in no directory')
  })

  it('refuses a held-out share where there is a test part', () => {
    expect(() => loadDataset('glyphs?holdout=0.5')).toThrow(
      "'holdout' is for data without a test part"
    )
  })
})

describe('a source without a test part', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'starling-spec-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  it('sets a fifth of a table aside, chosen by the seed', () => {
    const file = join(directory, 'table.csv')
    writeFileSync(file, Array.from({ length: 50 }, (_, row) => `${row},${row % 3}`).join('\n'))
    const load = (options: string) => loadDataset(`csv:${file}?label=last${options}`)

    const { train, test } = load('')
    expect([train.count, test.count]).toEqual([40, 10])
    expect(new Set([...samplesOf(train), ...samplesOf(test)]).size).toBe(50)
    expect(load('').test).toEqual(test)
    expect(load('&seed=1').test).not.toEqual(test)
    expect(load('&holdout=0.5').test.count).toBe(25)
    expect(load('&holdout=0.001').test.count).toBe(1)
    // The scale is that of all shards: a peer's own mean would tell its classes apart wrongly.
    const shard = load('&shard=0/4').train
    expect(samplesOf(train)).toEqual(expect.arrayContaining(samplesOf(shard)))
    // What is left out is left out of every shard.
    const shards = [0, 1].flatMap((index) => samplesOf(load(`&limit=12&shard=${index}/2`).train))
    expect(shards.sort()).toEqual(samplesOf(load('&limit=12').train).sort())
  })

  it('needs two samples', () => {
    const [images, labels] = [
      [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 10],
      [0, 0, 8, 1, 0, 0, 0, 1, 0]
    ]
    writeFileSync(join(directory, 'train-images-idx3-ubyte'), Buffer.from(images))
    writeFileSync(join(directory, 'train-labels-idx1-ubyte'), Buffer.from(labels))

    expect(() => loadDataset(`idx:${directory}?holdout=0.5`)).toThrow(
      'has 1 sample, which cannot be both trained on and tested on'
    )
  })

  it('splits IDX images when asked to, and only then', () => {
    const images = Buffer.from([0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0, 1, 10, 20, 30, 40])
    const labels = Buffer.from([0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 2, 3])
    writeFileSync(join(directory, 'train-images-idx3-ubyte'), images)
    writeFileSync(join(directory, 'train-labels-idx1-ubyte'), labels)

    const { train, test } = loadDataset(`idx:${directory}?holdout=0.25`)
    expect([train.count, test.count]).toEqual([3, 1])
    expect([...train.labels, ...test.labels].sort()).toEqual([0, 1, 2, 3])
    expect(() => loadDataset(`idx:${directory}`)).toThrow('t10k-images-idx3-ubyte')

    writeFileSync(join(directory, 't10k-images-idx3-ubyte'), images)
    writeFileSync(join(directory, 't10k-labels-idx1-ubyte'), labels)
    expect(() => loadDataset(`idx:${directory}?holdout=0.25`)).toThrow(
      "'holdout' is for data without a test part"
    )
  })
})
