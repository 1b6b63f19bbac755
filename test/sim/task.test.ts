import { expect, it } from 'vitest'
import { parseScenario } from '../../sim/scenario.ts'
import { taskOf } from '../../sim/task.ts'
import { Random } from '../../src/core/random.ts'
import type { DataSchema } from '../../src/learning/data/dataset.ts'
import type { TensorSpec } from '../../src/learning/layout.ts'

const [arm] = parseScenario(
  'name: a\nquestion: b?\npeers: 4\ntopology: { kind: ring }\nrounds: 10\n'
).arms
const tensors: TensorSpec[] = [
  { name: 'w', shape: [2], role: 'weight', initialiser: { kind: 'uniform', limit: 1 } }
]

it.each<DataSchema>([
  { shape: [2], classes: 3 },
  { shape: [2], classes: 3, scale: { mean: 1, deviation: 2 } },
  { shape: [2], classes: 3, positions: 2 }
])('the task of a scenario is about its data: %j', (data) => {
  const schema = { ...data, positions: data.positions, scale: data.scale }
  const { manifest } = taskOf(
    (arm as NonNullable<typeof arm>).scenario,
    tensors,
    schema,
    new Random(1)
  )
  expect(manifest.data).toStrictEqual(data)
})
