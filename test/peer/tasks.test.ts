import { readdir, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TaskStore } from '../../peer/tasks.ts'
import { scratchDirectory } from './scratch.ts'
import { tinyTask } from '../tiny-task.ts'

describe('the task store', () => {
  it('lists and gives back what was saved, bit for bit', async () => {
    const store = new TaskStore(await scratchDirectory())
    const [one, two] = [tinyTask(6, { name: 'one' }), tinyTask(6, { name: 'two' })]
    await store.save(one)
    await store.save(two)
    await store.save(two)

    expect(await store.list()).toEqual([one.cid, two.cid].sort())
    expect(await store.load(two.cid)).toEqual(two)
  })

  it('of a home that is not made yet is empty', async () => {
    const store = new TaskStore(join(await scratchDirectory(), 'none'))
    expect(await store.list()).toEqual([])
    await expect(store.load(tinyTask().cid)).rejects.toMatchObject({ code: 'STARLING_BAD_TASK' })
  })

  it.each(['', '../identity', '..%2fidentity', 'bafyrei/../../x', 'bafy\0', 'x'.repeat(4096)])(
    'takes nothing but a CID for a name: %j',
    async (cid) => {
      const store = new TaskStore(await scratchDirectory())
      await expect(store.load(cid)).rejects.toMatchObject({ code: 'STARLING_BAD_TASK' })
    }
  )

  it('refuses a file that is damaged, or holds another task, by its name', async () => {
    const directory = await scratchDirectory()
    const store = new TaskStore(directory)
    const [one, two] = [tinyTask(6, { name: 'one' }), tinyTask(6, { name: 'two' })]
    const path = join(directory, `${one.cid}.cbor`)
    const refusal = {
      code: 'STARLING_BAD_TASK',
      message: expect.stringContaining(path) as string
    }

    await writeFile(path, two.bytes)
    await expect(store.load(one.cid)).rejects.toMatchObject(refusal)
    await writeFile(path, one.bytes)
    await truncate(path, one.bytes.length - 1)
    await expect(store.load(one.cid)).rejects.toMatchObject(refusal)
    expect(await readdir(directory)).toHaveLength(1)
  })
})
