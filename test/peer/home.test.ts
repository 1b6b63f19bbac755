import { chmod, mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openHome, sweepHome } from '../../peer/home.ts'
import { scratchDirectory } from './scratch.ts'

describe('the home', () => {
  it('is made for us alone, together with its parents', async () => {
    const home = await openHome(join(await scratchDirectory(), 'a', 'b'))

    for (const path of [home.path, home.checkpoints, home.tasks, home.peers, home.data]) {
      expect((await stat(path)).mode & 0o777).toBe(0o700)
    }
  })

  it('is the same when it is opened again', async () => {
    const path = join(await scratchDirectory(), 'home')
    expect(await openHome(path)).toEqual(await openHome(path))
  })

  it('is refused when others may write to it, with the command that helps', async () => {
    const path = join(await scratchDirectory(), 'home')
    const home = await openHome(path)
    await chmod(home.tasks, 0o777)

    await expect(openHome(path)).rejects.toMatchObject({
      code: 'STARLING_HOME_UNUSABLE',
      message: expect.stringContaining(`chmod 700 '${home.tasks}'`) as string
    })
  })

  it('is refused when it is a file, a link, or holds a link where a directory belongs', async () => {
    const scratch = await scratchDirectory()
    const [file, link, home, elsewhere] = ['file', 'link', 'home', 'elsewhere'].map((name) =>
      join(scratch, name)
    ) as [string, string, string, string]
    await writeFile(file, '')
    await mkdir(elsewhere)
    await symlink(elsewhere, link)
    await mkdir(home)
    await symlink(elsewhere, join(home, 'checkpoints'))

    for (const path of [file, link, home, join(file, 'inside')]) {
      await expect(openHome(path)).rejects.toMatchObject({ code: 'STARLING_HOME_UNUSABLE' })
    }
    expect(await readdir(elsewhere)).toEqual([])
  })

  it('is swept of our own temporary files and of nothing else', async () => {
    const home = await openHome(join(await scratchDirectory(), 'home'))
    await writeFile(join(home.path, '.starling-0123456789abcdef.tmp'), 'half')
    await writeFile(join(home.tasks, '.starling-fedcba9876543210.tmp'), 'half')
    await writeFile(join(home.tasks, 'mine.tmp'), 'whole')

    expect(await sweepHome(home)).toBe(2)
    expect(await readdir(home.tasks)).toEqual(['mine.tmp'])
  })
})
