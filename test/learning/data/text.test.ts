import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Samples } from '../../../src/learning/data/dataset.ts'
import { loadDataset } from '../../../src/learning/data/spec.ts'
import { alphabetSize, decodeText, encodeText, openText } from '../../../src/learning/data/text.ts'

const allRows = (count: number) => Array.from({ length: count }, (_, row) => row)

describe('the alphabet', () => {
  it('is newline, printable ASCII, and one for anything else', () => {
    expect(alphabetSize).toBe(97)
    expect([...encodeText('\n ~A\t\u007f\u0000é漢🦜')]).toEqual([
      0, 1, 95, 34, 96, 96, 96, 96, 96, 96
    ])
    expect(decodeText([0, 1, 95, 34, 96])).toBe('\n ~A\ufffd')
    expect(new Set(decodeText(allRows(97))).size).toBe(97)
  })

  it('gives back every text that is written in it, and marks the rest', () => {
    const letters = fc.string({ unit: fc.constantFrom(...'\n azAZ09~!"\\') })
    fc.assert(fc.property(letters, (text) => decodeText(encodeText(text)) === text))

    const anything = fc.string({ unit: 'binary', maxLength: 30 })
    fc.assert(
      fc.property(anything, (text) => {
        const expected = text.replaceAll('\r\n', '\n').replaceAll(/[^\n -~]/gu, '\ufffd')
        expect(decodeText(encodeText(text))).toBe(expected)
      })
    )
  })

  it('has one newline, whatever the line ends of the text', () => {
    expect(encodeText('a\r\nb')).toEqual(encodeText('a\nb'))
  })
})

describe('a text', () => {
  let file: string
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'starling-text-'))
    file = join(directory, 'text.txt')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const write = (content: string | Buffer) => writeFileSync(file, content)
  const load = (options: string) => loadDataset(`text:${file}?${options}`)
  const lines = ({ features }: Samples, context: number) =>
    decodeText(features).match(new RegExp(`[^]{${context}}`, 'g'))

  it('is windows end to end, each with the next character at every position', () => {
    write('abcdefghijklmnopqrstuvwxyz0123')
    const { shape, classes, positions, train, test } = openText(file, 4, 0.3)

    expect([shape, classes, positions]).toEqual([[4], 97, 4])
    // Of 21 characters the last one is only a label.
    const { features, labels, count } = train.read(allRows(train.count))
    expect(count).toBe(5)
    expect(decodeText(features)).toBe('abcdefghijklmnopqrst')
    expect(decodeText(labels)).toBe('bcdefghijklmnopqrstu')
    expect(labels).toEqual(train.labels)
    expect(decodeText(test.read([1, 0]).features)).toBe('z012vwxy')
    expect(decodeText(test.read([1, 0]).labels)).toBe('0123wxyz')
  })

  it('never shows the training part a character of the test part, nor the other way round', () => {
    const sizes = fc.record({
      length: fc.integer({ min: 40, max: 95 }),
      context: fc.integer({ min: 2, max: 9 }),
      holdout: fc.double({ min: 0.26, max: 0.74, noNaN: true })
    })
    fc.assert(
      fc.property(sizes, ({ length, context, holdout }) => {
        // Each character says where in the text it is.
        write(String.fromCharCode(...allRows(length).map((at) => 32 + at)))
        const { train, test } = openText(file, context, holdout)
        const [before, after] = [train, test].map((part) => {
          const { features, labels, count } = part.read(allRows(part.count))
          expect(features.length).toBe(count * context)
          // Each label is the feature after it, within its window and across windows.
          expect([...labels.slice(0, -1)]).toEqual([...features.slice(1)])
          return [...features, ...labels]
        }) as [number[], number[]]
        const [last, first] = [before.reduce((a, b) => Math.max(a, b)), Math.min(...after)]
        expect(last).toBeLessThan(first)
        // Less than a window of each part is left over.
        expect(before.length / 2 + after.length / 2).toBeGreaterThan(length - 2 * context - 2)
      }),
      { numRuns: 50 }
    )
  })

  it('takes its last tenth for testing and windows of 128, unless told otherwise', () => {
    write('x'.repeat(9000) + 'y'.repeat(1000))
    const { train, test, positions } = load('')

    expect([train.count, test.count, positions]).toEqual([70, 7, 128])
    expect(decodeText(train.labels)).toBe('x'.repeat(70 * 128))
    expect(decodeText(test.features)).toBe('y'.repeat(7 * 128))
    expect(load('holdout=0.5&context=500').test.count).toBe(9)
    expect(load('test=3&limit=4')).toMatchObject({ train: { count: 4 }, test: { count: 3 } })
  })

  it('is shared out by windows, whole ones', () => {
    write(Array.from({ length: 500 }, (_, at) => `${at}`.padStart(4, '.')).join(''))
    const all = lines(load('context=4').train, 4)
    for (const partition of ['iid', 'quantity:1']) {
      const shards = [0, 1, 2].map((index) =>
        load(`context=4&shard=${index}/3&partition=${partition}`)
      )
      expect(shards.flatMap(({ train }) => lines(train, 4)).sort()).toEqual(all)
      for (const { test } of shards) expect(test).toEqual(load('context=4').test)
      for (const { train } of shards) {
        expect(decodeText(train.labels.subarray(0, 3))).toBe(lines(train, 4)?.[0]?.slice(1))
      }
    }
    expect(load('context=4&shard=1/3&samples=20').train.count).toBe(20)
    expect(load('context=4&shard=1/3&seed=1').train).not.toEqual(load('context=4&shard=1/3').train)
  })

  it.each(['dirichlet:0.3', 'classes:2'])('cannot be shared out by %s', (partition) => {
    write('to be or not to be '.repeat(100))
    expect(() => load(`shard=0/2&partition=${partition}`)).toThrow(
      expect.objectContaining({
        code: 'STARLING_BAD_ARGUMENT',
        message: expect.stringContaining('sequences with 128 labels each') as string
      })
    )
  })

  it('may begin with a byte order mark, which is no character of it', () => {
    write(`\ufeff${'ab'.repeat(20)}`)
    expect(decodeText(openText(file, 2, 0.5).train.read([0]).features)).toBe('ab')
  })

  it.each<[string, string | Buffer, string]>([
    ['nothing in it', '', 'is empty'],
    ['a byte order mark alone', '\ufeff', 'is empty'],
    ['too little for training', 'x'.repeat(128), 'has 115 characters for training'],
    ['too little for testing', 'x'.repeat(1280), 'has 128 characters for testing'],
    ['bytes that are no UTF-8', Buffer.from('caf\xe9 '.repeat(999), 'latin1'), 'is not UTF-8'],
    ['a zero byte', 'abc\0'.repeat(999), 'character 3 (counted from 0) is a zero byte']
  ])('is refused with %s', (_, content, part) => {
    write(content)
    expect(() => load('')).toThrow(
      expect.objectContaining({
        code: 'STARLING_BAD_DATA',
        message: expect.stringMatching(`text\\.txt .*${part.replace(/[()]/g, '.')}`) as string
      })
    )
  })

  it('is refused when it is not there, or a directory', () => {
    expect(() => load('')).toThrow(`there is no text file at ${file}`)
    expect(() => load('')).toThrow(expect.objectContaining({ code: 'STARLING_BAD_DATA' }))
    expect(() => loadDataset(`text:${directory}`)).toThrow(
      `${directory} is a directory, expected a text file`
    )
    expect(() => loadDataset(`text:${file}/more`)).toThrow('there is no text file at')
    expect(() => loadDataset('text:a\0b')).toThrow(
      expect.objectContaining({ code: 'STARLING_BAD_DATA' })
    )
  })
})
