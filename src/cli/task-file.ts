import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { parse } from 'yaml'
import { StarlingError } from '../core/errors.ts'
import { describeModel } from '../learning/model/build.ts'
import { checkDraft, createTask, type Task } from '../learning/task.ts'
import { isTaskCid, TaskStore } from '../../peer/tasks.ts'
import type { Home } from '../../peer/home.ts'

/** Compute the model's tensors and name the task. */
export async function finishTask(draft: unknown): Promise<Task> {
  const checked = checkDraft(draft)
  return createTask({ ...checked, tensors: await describeModel(checked.model, checked.data) })
}

/**
 * Read a task file, JSON or YAML. Its `tensors` may be left out; when they are there, they must be
 * those of its model.
 * @throws STARLING_BAD_TASK, STARLING_BAD_MODEL
 */
export async function readTaskFile(path: string): Promise<Task> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new StarlingError(
      'STARLING_BAD_TASK',
      `cannot read the task file ${path}: ${(error as Error).message}. ` +
        `'starling task new ${path}' makes one`
    )
  }
  let content: unknown
  try {
    content = parse(text)
  } catch (error) {
    throw new StarlingError(
      'STARLING_BAD_TASK',
      `${path} is neither JSON nor YAML: ${(error as Error).message}`
    )
  }
  const finished = await finishTask(content)
  if (checkDraft(content).tensors === undefined) return finished
  const asWritten = createTask(content)
  if (asWritten.cid === finished.cid) return asWritten
  throw new StarlingError(
    'STARLING_BAD_TASK',
    `${path} lists other tensors than its model has (layout ${asWritten.layout.digest.slice(0, 12)}, ` +
      `should be ${finished.layout.digest.slice(0, 12)}): remove 'tensors' to have them computed`
  )
}

/**
 * A task by the name that a user gives it: a file, or the CID of one kept in the home.
 * @returns the CID itself when it is not kept here: the swarm has it
 */
export async function findTask(name: string, home: Home): Promise<Task | string> {
  if (!isTaskCid(name) || existsSync(name)) return readTaskFile(name)
  const tasks = new TaskStore(home.tasks)
  return (await tasks.list()).includes(name) ? tasks.load(name) : name
}
