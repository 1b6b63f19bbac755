import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadKernels, reservedBytes } from '../../../src/learning/engine/kernels.ts'
import { dropoutFactors } from '../../../src/learning/layers/dropout.ts'
import { engineOf, given } from './room.ts'

/** What the kernel does to ones. */
function byKernel(count: number, rate: number, seed: number, layer: number): Float32Array {
  const { memory, kernel } = loadKernels()
  memory.grow(1)
  new Uint32Array(memory.buffer, reservedBytes, 1)[0] = seed
  const values = new Float32Array(memory.buffer, reservedBytes + 16, count).fill(1)
  kernel('dropout')(values.byteOffset, count, rate, reservedBytes, layer, values.byteOffset)
  return values.slice()
}

describe('dropout', () => {
  it('is the same, to the bit, in both engines', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.double({ min: 0, max: 0.99, noNaN: true }),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.integer({ min: 0, max: 2047 }),
        (count, rate, seed, layer) => {
          expect(dropoutFactors(count, rate, seed, layer)).toEqual(
            byKernel(count, rate, seed, layer)
          )
        }
      )
    )
  })

  it.each([0.1, 0.5, 0.9])('drops a share of %d, and keeps the mean', (rate) => {
    const factors = dropoutFactors(20_000, rate, 42, 3)
    const dropped = factors.filter((factor) => factor === 0).length / factors.length
    const mean = factors.reduce((sum, factor) => sum + factor, 0) / factors.length

    expect(Math.abs(dropped - rate)).toBeLessThan(0.015) // four deviations
    expect(Math.abs(mean - 1)).toBeLessThan(0.1)
  })

  it('draws other numbers for another seed and another layer', () => {
    const first = dropoutFactors(200, 0.5, 1, 1).join()
    expect(dropoutFactors(200, 0.5, 2, 1).join()).not.toBe(first)
    expect(dropoutFactors(200, 0.5, 1, 2).join()).not.toBe(first)
  })

  it('does nothing in a model that is used', () => {
    const engine = engineOf([3], [{ kind: 'dropout', name: 'drop', rate: 0.9 }])
    expect(given(engine, 'drop', [1, 2, 3])).toEqual([1, 2, 3])
  })
})
