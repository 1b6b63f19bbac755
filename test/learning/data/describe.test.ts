import { expect, it } from 'vitest'
import { describeDataset } from '../../../src/learning/data/describe.ts'

it('a data set is described by counts, classes and the range of its features', () => {
  const dataset = {
    name: 'two',
    shape: [2],
    classes: 3,
    train: { features: Float32Array.of(-1, 2, 5, 4), labels: Uint16Array.of(2, 2), count: 2 },
    test: { features: new Float32Array(), labels: new Uint16Array(), count: 0 }
  }

  expect(describeDataset(dataset)).toEqual({
    name: 'two',
    shape: [2],
    classes: 3,
    train: { samples: 2, classCounts: [0, 0, 2], features: { min: -1, max: 5, mean: 2.5 } },
    test: { samples: 0, classCounts: [0, 0, 0], features: null }
  })
})
