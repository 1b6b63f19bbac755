import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { describeDataset } from '../../../src/learning/data/describe.ts'
import { loadDataset } from '../../../src/learning/data/spec.ts'
import { alphabetSize, decodeText } from '../../../src/learning/data/text.ts'

/** Public data sets as published; the counts below are theirs. */
const dataDirectory =
  process.env.STARLING_DATA ?? resolve(import.meta.dirname, '../../../../shared/data')

const load = (spec: string) => loadDataset(spec, { dataDirectory })
const table = (file: string, options: string) => load(`csv:${join(dataDirectory, file)}?${options}`)

describe('Fashion-MNIST', () => {
  it('has 6,000 training and 1,000 test images of each class, and the published mean', () => {
    const dataset = load('fashion-mnist')
    const { shape, classes, train, test } = describeDataset(dataset)

    expect([shape, classes]).toEqual([[28, 28, 1], 10])
    expect(train.classCounts).toEqual(new Array(10).fill(6000))
    expect(test.classCounts).toEqual(new Array(10).fill(1000))
    expect(train.features?.mean).toBeCloseTo(0.286, 4)
    expect([train.features?.min, train.features?.max]).toEqual([0, 1])
    expect([...dataset.train.labels.slice(0, 2)]).toEqual([9, 0]) // an ankle boot, a T-shirt
  })

  it('is the same by name and by directory', () => {
    const named = load('fashion-mnist?shard=3/1000&test=10')
    const byPath = load(`idx:${join(dataDirectory, 'fashion-mnist')}?shard=3/1000&test=10`)

    expect(named.train.count).toBe(60)
    expect(byPath.train).toEqual(named.train)
    expect(byPath.test).toEqual(named.test)
  })
})

describe('Tiny Shakespeare', () => {
  const spec = `text:${join(dataDirectory, 'tinyshakespeare/input.txt')}`

  it('has 1,115,394 characters, 65 different ones, and no other than the alphabet has', () => {
    // With one window for each half, all characters but the last of each half are features.
    const { train, test } = load(`${spec}?holdout=0.5&context=2`)
    const indices = [...train.features, ...test.features]

    expect(train.features.length + test.features.length).toBe(1_115_394 - 2)
    expect(new Set(indices).size).toBe(65)
    expect(indices).not.toContain(alphabetSize - 1)
    expect(decodeText(train.features.subarray(0, 14))).toBe('First Citizen:')
  })

  it('is 7,842 windows to train on and 871 to test on', () => {
    const { shape, classes, positions, train, test } = describeDataset(load(spec))

    expect([shape, classes, positions]).toEqual([[128], 97, 128])
    expect([train.samples, test.samples]).toEqual([7842, 871])
    expect(train.classCounts.indexOf(Math.max(...train.classCounts))).toBe(1) // the space
  })
})

describe('tables', () => {
  it('optdigits: 3,823 rows of 64 features, ten classes', () => {
    const { shape, classes, train, test } = describeDataset(
      table('optdigits/optdigits.tra', 'label=last')
    )
    const counts = train.classCounts.map(
      (count, label) => count + (test.classCounts[label] as number)
    )

    expect([shape, classes, train.samples + test.samples]).toEqual([[64], 10, 3823])
    expect(counts).toEqual([376, 389, 380, 389, 387, 376, 377, 387, 380, 382])
    expect(train.features?.mean).toBeCloseTo(0, 5)
  })

  it('wine: three classes, by any name of the column', () => {
    const { shape, train, test } = table('tabular-small/wine.csv', 'label=14&holdout=0.1')

    expect([shape, train.count, test.count]).toEqual([[13], 160, 18])
    expect(table('tabular-small/wine.csv', 'label=last&holdout=0.1').train).toEqual(train)
  })

  it('banknotes: 762 genuine, 610 forged', () => {
    const { train, test } = describeDataset(
      table('tabular-small/banknote_authentication.csv', 'label=last')
    )
    expect(
      [0, 1].map((label) => (train.classCounts[label] ?? 0) + (test.classCounts[label] ?? 0))
    ).toEqual([762, 610])
  })

  it('breast cancer: says where the first value is missing', () => {
    expect(() => table('tabular-small/breast-cancer-wisconsin.csv', 'label=last')).toThrow(
      'breast-cancer-wisconsin.csv line 24: column 6 has no value (?)'
    )
  })
})
