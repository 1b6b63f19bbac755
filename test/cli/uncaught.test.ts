import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const child = fileURLToPath(new URL('./uncaught-child.ts', import.meta.url))

function run(thrower: string): Promise<{ code: number; output: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [child, thrower], (error, output) =>
      resolve({ code: Number(error?.code ?? 0), output })
    )
  })
}

describe('what nobody caught', () => {
  it('is survived when libp2p threw it, in a timer or a promise', async () => {
    const { code, output } = await run('node_modules/@libp2p/utils/dist')
    expect(output).toBe('survived: cannot write\nsurvived: cannot write\n')
    expect(code).toBe(0)
  })

  it('ends the process when we threw it', async () => {
    const { code, output } = await run('peer')
    expect(output).toBe('lost: cannot write\n')
    expect(code).toBe(1)
  })
})
