import type { Checkpoint } from '../../protocols/participant-io.ts'
import { createTask, type Task } from '../../src/learning/task.ts'

/** A task whose model is one small tensor, so that its files are a few hundred bytes. */
export function smallTask(parameters = 6, name = 'small'): Task {
  return createTask({
    format: 'starling/task/1',
    name,
    model: { preset: 'logreg' },
    tensors: [
      {
        name: 'kernel',
        shape: [parameters],
        role: 'weight',
        initialiser: { kind: 'uniform', limit: 1 }
      }
    ],
    data: { shape: [2], classes: 2 },
    init: { kind: 'shared', seed: 1 },
    training: {
      optimizer: { kind: 'sgd', learningRate: 0.1, momentum: 0.9 },
      batchSize: 8,
      localSteps: 2
    },
    merge: { rule: 'average' },
    exchange: { mode: 'gossip', intervalMs: 0, deadlineMs: 1000 }
  })
}

/** A checkpoint whose every number tells its round. */
export function checkpointOf(task: Task, round: number): Checkpoint {
  const size = task.layout.parameterCount
  return {
    task: task.cid,
    round,
    age: round * 16,
    state: {
      parameters: new Float32Array(size).fill(round + 0.5),
      optimizer: new Float32Array(size).fill(-round),
      steps: round * 2
    }
  }
}
