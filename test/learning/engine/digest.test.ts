import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { trainedDigest } from './digest.ts'

/**
 * The same on every machine, Node.js version and setting: whoever changes it changes what all peers
 * and all recorded simulations compute, and says so in the changelog.
 */
const expected =
  '69db232416b096db4018ed728b5a3ffc3fcfc9a23058dbeec98b69569eb4a895 ' +
  '0c0d3237ce09ffd39d697427d3f82eee31295cec40a99440852e5011a11e9961'

const child = new URL('./digest-child.ts', import.meta.url)

async function digestInProcess(...flags: string[]): Promise<string> {
  const args = [...flags, fileURLToPath(child)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return stdout.trim()
}

describe('the parameters after 200 steps', () => {
  it('are the known ones here', async () => {
    expect(await trainedDigest()).toBe(expected)
  })

  it('are the known ones in a worker thread', async () => {
    const worker = new Worker(child)
    expect(await once(worker, 'message')).toEqual([expected])
  })

  it.each([
    ['without optimising JavaScript', '--no-opt'],
    ['with the baseline compiler for WebAssembly alone', '--liftoff-only'],
    ['with the optimising compiler for WebAssembly alone', '--no-liftoff']
  ])('are the known ones %s', async (_name, flag) => {
    expect(await digestInProcess(flag)).toBe(expected)
  })
})
