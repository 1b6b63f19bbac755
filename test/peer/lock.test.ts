import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { lockHome } from '../../peer/lock.ts'
import { Child } from './children.ts'
import { scratchDirectory } from './scratch.ts'

describe('the lock of a home', () => {
  it('is refused while another process holds it, and names that process', async () => {
    const home = await scratchDirectory()
    const daemon = new Child('lock-child.ts', home)
    expect(await daemon.line()).toBe('locked')

    await expect(lockHome(home)).rejects.toMatchObject({
      code: 'STARLING_HOME_LOCKED',
      details: { pid: daemon.pid },
      message: expect.stringContaining('starling stop') as string
    })
    expect(await readdir(home)).toHaveLength(1) // our own claim is down again
  })

  it('is free again after a release', async () => {
    const home = await scratchDirectory()
    const daemon = new Child('lock-child.ts', home)
    await daemon.line()
    await daemon.end()
    expect(await readdir(home)).toEqual([])

    await (await lockHome(home)).release()
  })

  it('is taken over from a process that was killed', async () => {
    const home = await scratchDirectory()
    const daemon = new Child('lock-child.ts', home)
    await daemon.line()
    await daemon.kill()
    expect(await readdir(home)).toHaveLength(1)

    const lock = await lockHome(home)
    expect(await readdir(home)).toEqual([lock.path.slice(home.length + 1)])
    await lock.release()
  })

  it('is refused to a second daemon in the same process', async () => {
    const home = await scratchDirectory()
    const lock = await lockHome(home)
    await expect(lockHome(home)).rejects.toMatchObject({ code: 'STARLING_HOME_LOCKED' })
    await lock.release()
  })

  it('goes to at most one of many that start together over a stale one', async () => {
    const home = await scratchDirectory()
    const dead = new Child('lock-child.ts', home)
    await dead.line()
    await dead.kill()

    const daemons = Array.from({ length: 6 }, () => new Child('lock-child.ts', home))
    const answers = await Promise.all(daemons.map((daemon) => daemon.line()))
    expect(answers.filter((answer) => answer === 'locked').length).toBeLessThanOrEqual(1)
    expect(answers.every((a) => a === 'locked' || a === 'STARLING_HOME_LOCKED')).toBe(true)
  })

  describe.runIf(process.platform === 'linux')('where the system tells boots and starts', () => {
    it('is taken over when the pid now belongs to a process with another start', async () => {
      const home = await scratchDirectory()
      const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
      await writeFile(join(home, `daemon-${process.ppid}-1-${boot}.lock`), '')

      await (await lockHome(home)).release()
      expect(await readdir(home)).toEqual([])
    })

    it('is taken over when it was taken before the machine last started', async () => {
      const home = await scratchDirectory()
      const name = `daemon-${process.ppid}-0-00000000-0000-0000-0000-000000000000.lock`
      await writeFile(join(home, name), '')

      await (await lockHome(home)).release()
      expect(await readdir(home)).toEqual([])
    })

    it('is refused when nothing but the pid is known and that lives', async () => {
      const home = await scratchDirectory()
      await writeFile(join(home, `daemon-${process.ppid}-0-0.lock`), '')
      await expect(lockHome(home)).rejects.toMatchObject({ code: 'STARLING_HOME_LOCKED' })
    })
  })

  it('leaves files that are not claims alone', async () => {
    const home = await scratchDirectory()
    await writeFile(join(home, 'daemon-notes.lock'), 'mine')
    await (await lockHome(home)).release()
    expect(await readdir(home)).toEqual(['daemon-notes.lock'])
  })
})
