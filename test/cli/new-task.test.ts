import { describe, expect, it } from 'vitest'
import { dataSchemaOf } from '../../src/cli/new-task.ts'

const samples = { features: Float32Array.of(1, 3, 1, 3), labels: Uint16Array.of(0, 1), count: 2 }
const dataset = { name: 'two', shape: [2], classes: 3, train: samples, test: samples }

describe('what a new task says of its data', () => {
  it('has the scale of its features', () => {
    expect(dataSchemaOf(dataset)).toStrictEqual({
      shape: [2],
      classes: 3,
      scale: { mean: 2, deviation: 1 }
    })
  })

  it('has positions for sequences, and then no scale: their features are names', () => {
    const train = { ...samples, labels: Uint16Array.of(0, 1, 2, 1) }
    expect(dataSchemaOf({ ...dataset, train, positions: 2 })).toStrictEqual({
      shape: [2],
      classes: 3,
      positions: 2
    })
  })
})
