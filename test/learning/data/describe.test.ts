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

it('a data set of sequences says how many labels each has, and counts all of them', () => {
  const train = {
    features: Float32Array.of(0, 1, 1, 2),
    labels: Uint16Array.of(1, 1, 2, 1),
    count: 2
  }
  const dataset = { name: 'text', shape: [2], classes: 3, positions: 2, train, test: train }

  expect(describeDataset(dataset)).toMatchObject({
    positions: 2,
    train: { samples: 2, classCounts: [0, 3, 1] }
  })
})
