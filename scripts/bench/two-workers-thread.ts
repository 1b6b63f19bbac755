import { parentPort } from 'node:worker_threads'
import { present } from '../../src/core/assert.ts'
import { engineCases } from './engine-cases.ts'
import { trainerOf } from './engine-trainer.ts'

/** Trains `mlp` for some hundred steps whenever it is told to. */

const port = present(parentPort, 'the thread that measures')
const train = await trainerOf(present(engineCases.mlp, 'the mlp'), 'plan')
train(20)
port.on('message', () => {
  train(100)
  port.postMessage('done')
})
port.postMessage('ready')
