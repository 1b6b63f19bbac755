import { CheckpointStore } from '../../peer/checkpoint.ts'
import { tinyTask } from '../tiny-task.ts'
import { checkpointOf } from './checkpoints.ts'

// Saves one checkpoint after another, from round `first` on, and says each round once it is saved.
const [directory = '', parameters = '', first = ''] = process.argv.slice(2)
const task = tinyTask(Number(parameters))
const store = await CheckpointStore.open(directory, task)
for (let round = Number(first); ; round++) {
  await store.save(checkpointOf(task, round))
  process.stdout.write(`${round}\n`)
}
