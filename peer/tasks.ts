import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { StarlingError } from '../src/core/errors.ts'
import { manifestBytesMax } from '../src/core/limits.ts'
import { decodeTask, type Task } from '../src/learning/task.ts'
import { listDirectory, readBounded, writeAtomically } from './files.ts'

/** The tasks that this home knows, each a file named by its CID. */
export class TaskStore {
  readonly #directory: string

  /** @param directory - there when something is saved (home.ts); before, nothing is kept */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** @throws STARLING_HOME_UNUSABLE when the disk does not take it */
  async save(task: Task): Promise<void> {
    await writeAtomically(join(this.#directory, `${task.cid}.cbor`), [task.bytes])
  }

  /** CIDs of the tasks that are kept, sorted. @throws STARLING_HOME_UNUSABLE */
  async list(): Promise<string[]> {
    if (!existsSync(this.#directory)) return []
    const names = await listDirectory(this.#directory)
    return names.flatMap((name) => filePattern.exec(name)?.[1] ?? [])
  }

  /**
   * @throws STARLING_BAD_TASK when there is none of that CID, or its file is damaged
   * @throws STARLING_HOME_UNUSABLE when its file cannot be read
   */
  async load(cid: string): Promise<Task> {
    // What the user typed becomes a path: nothing but a CID may pass.
    if (!isTaskCid(cid)) throw unknownTask(cid)
    const path = join(this.#directory, `${cid}.cbor`)
    const bytes = await readBounded(path, manifestBytesMax)
    if (bytes === undefined) throw unknownTask(cid)
    let task: Task
    try {
      task = decodeTask(bytes)
    } catch (error) {
      throw new StarlingError(
        'STARLING_BAD_TASK',
        `${path} is damaged: ${(error as Error).message}`
      )
    }
    if (task.cid !== cid) {
      throw new StarlingError('STARLING_BAD_TASK', `${path} is damaged: it holds task ${task.cid}`)
    }
    return task
  }
}

function unknownTask(cid: string): StarlingError {
  return new StarlingError(
    'STARLING_BAD_TASK',
    `no task '${cid}' is kept here; 'starling task list' shows those that are`
  )
}

/** Whether it is written as the CID of a task is: version 1, dag-cbor, sha2-256, in base32. */
export function isTaskCid(text: string): boolean {
  return cidPattern.test(text)
}

const cidPattern = /^bafyrei[a-z2-7]{52}$/
const filePattern = /^(bafyrei[a-z2-7]{52})\.cbor$/
