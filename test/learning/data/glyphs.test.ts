import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../../../src/core/digest.ts'
import type { Samples } from '../../../src/learning/data/dataset.ts'
import { glyphsDefaults, openGlyphs } from '../../../src/learning/data/glyphs.ts'

const features = 28 * 28
const rows = (count: number) => Array.from({ length: count }, (_, row) => row)

/** Share of test samples whose nearest three training samples (Euclid) vote for the right class. */
function nearestNeighbourAccuracy(train: Samples, test: Samples): number {
  let right = 0
  for (let i = 0; i < test.count; i++) {
    const distances = Array.from({ length: train.count }, (_, j) => {
      let distance = 0
      for (let k = 0; k < features; k++) {
        const gap =
          (test.features[i * features + k] as number) - (train.features[j * features + k] as number)
        distance += gap * gap
      }
      return { distance, label: train.labels[j] as number }
    })
    const [a, b, c] = distances.sort((x, y) => x.distance - y.distance).map(({ label }) => label)
    if ((b === c ? b : a) === test.labels[i]) right++
  }
  return right / test.count
}

describe('glyphs', () => {
  it('are ten classes of 28 x 28 grey images, about equally many of each', () => {
    const { shape, classes, train, test } = openGlyphs(glyphsDefaults)
    const counts = rows(10).map((label) => train.labels.filter((other) => other === label).length)

    expect([shape, classes]).toEqual([[28, 28, 1], 10])
    expect([train.labels.length, test.labels.length]).toEqual([6000, 2000])
    for (const count of counts) expect(Math.abs(count - 600)).toBeLessThan(6 * Math.sqrt(540))
  })

  it('have pixels in [0, 1], with ink and with paper', () => {
    const { features } = openGlyphs({ ...glyphsDefaults, trainCount: 50 }).train.read(rows(50))

    expect(features.every((value) => value >= 0 && value <= 1)).toBe(true)
    expect(features.some((value) => value === 1) && features.some((value) => value === 0)).toBe(
      true
    )
  })

  it('depend on seed, part and index alone: a larger set begins with the smaller one', () => {
    const small = openGlyphs({ seed: 1, trainCount: 20, testCount: 20 })
    const large = openGlyphs({ seed: 1, trainCount: 50, testCount: 20 })
    const other = openGlyphs({ seed: 2, trainCount: 20, testCount: 20 })

    expect(large.train.read([7, 19])).toEqual(small.train.read([7, 19]))
    expect(large.train.read([19, 7]).features.slice(features)).toEqual(
      small.train.read([7]).features
    )
    expect(other.train.read([7])).not.toEqual(small.train.read([7]))
    expect(small.test.read([7])).not.toEqual(small.train.read([7]))
  })

  it('stay what they are from version to version', () => {
    const { features } = openGlyphs(glyphsDefaults).train.read(rows(20))
    expect(sha256Hex(features).slice(0, 16)).toBe('2cc263a520122be0')
  })

  it('can be learned from 2,000 samples, and clearly worse from 200', () => {
    const source = openGlyphs(glyphsDefaults)
    const test = source.test.read(rows(300))
    const few = nearestNeighbourAccuracy(source.train.read(rows(200)), test)
    const many = nearestNeighbourAccuracy(source.train.read(rows(2000)), test)

    expect(few).toBeGreaterThan(0.5)
    expect(few).toBeLessThan(0.7)
    expect(many).toBeGreaterThan(0.77)
    expect(many).toBeLessThan(0.95)
  })

  it('refuse a size that would not fit into memory', () => {
    expect(() => openGlyphs({ seed: 0, trainCount: 1e9, testCount: 1 })).toThrow(
      expect.objectContaining({ code: 'STARLING_BAD_DATA' })
    )
  })
})
