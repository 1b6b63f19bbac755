import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Random } from '../../src/core/random.ts'
import { Batches } from '../../src/learning/batches.ts'
import type { Samples } from '../../src/learning/data/dataset.ts'

/** Samples that know their own row. */
function rows(count: number): Samples {
  const labels = Uint16Array.from({ length: count }, (_, row) => row)
  return { features: Float32Array.from(labels, (row) => row), labels, count }
}

function labelsAt(count: number, batchSize: number, steps: number[], seed = 'dice'): number[][] {
  const batches = new Batches(rows(count), batchSize, new Random(seed))
  return steps.map((step) => [...batches.rowsAt(step)])
}

describe('batches', () => {
  it('meet each sample at most once an epoch, and leave out less than a batch', () => {
    const sizes = fc.record({
      count: fc.integer({ min: 1, max: 40 }),
      size: fc.integer({ min: 1, max: 50 })
    })
    fc.assert(
      fc.property(sizes, ({ count, size }) => {
        const batchSize = Math.min(count, size)
        const perEpoch = Math.floor(count / batchSize)
        const seen = labelsAt(count, size, [...Array(perEpoch).keys()]).flat()
        expect(seen).toHaveLength(perEpoch * batchSize)
        expect(new Set(seen).size).toBe(seen.length)
      })
    )
  })

  it('are shuffled anew in each epoch', () => {
    const [first, second] = [labelsAt(20, 5, [0, 1, 2, 3]), labelsAt(20, 5, [4, 5, 6, 7])]
    expect(second.flat().sort()).toEqual(first.flat().sort())
    expect(second).not.toEqual(first)
  })

  it('do not depend on which were asked for before', () => {
    expect(labelsAt(7, 3, [0, 1, 2, 3, 4, 5])[5]).toEqual(labelsAt(7, 3, [5])[0])
    expect(labelsAt(7, 3, [5, 0])[1]).toEqual(labelsAt(7, 3, [0])[0])
  })

  it('depend on the dice', () => {
    expect(labelsAt(20, 5, [0], 'one')).not.toEqual(labelsAt(20, 5, [0], 'other'))
  })
})
