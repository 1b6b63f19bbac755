import { createTask, type Task, type TaskManifest } from '../src/learning/task.ts'

/** A task whose model is one tensor: small enough to follow by hand. */
export function tinyTask(parameterCount = 3, changes: Partial<TaskManifest> = {}): Task {
  return createTask({
    format: 'starling/task/1',
    name: 'tiny',
    model: { preset: 'logreg' },
    tensors: [
      {
        name: 'w',
        shape: [parameterCount],
        role: 'weight',
        initialiser: { kind: 'uniform', limit: 1 }
      }
    ],
    data: { shape: [2], classes: 2 },
    init: { kind: 'shared', seed: 7 },
    training: { optimizer: { kind: 'sgd', learningRate: 0.1 }, batchSize: 4, localSteps: 2 },
    merge: { rule: 'average' },
    exchange: { mode: 'gossip', intervalMs: 0, deadlineMs: 1_000 },
    ...changes
  })
}
