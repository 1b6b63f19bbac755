import { generateKeyPair, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import { chmod, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openHome, type Home } from '../../peer/home.ts'
import { openIdentity, peerIdOf } from '../../peer/identity.ts'
import { scratchDirectory } from './scratch.ts'

async function freshHome(): Promise<Home> {
  return openHome(join(await scratchDirectory(), 'home'))
}

describe('the identity', () => {
  it('is made once, readable by us alone, and the same ever after', async () => {
    const home = await freshHome()
    const first = await openIdentity(home)

    expect((await stat(home.identity)).mode & 0o777).toBe(0o600)
    expect(peerIdOf(first)).toMatch(/^12D3KooW/)
    expect(peerIdOf(await openIdentity(home))).toBe(peerIdOf(first))
    expect((await readFile(home.peerId, 'utf8')).trim()).toBe(peerIdOf(first))
  })

  it('is one, also when two processes make it together', async () => {
    const home = await freshHome()
    const keys = await Promise.all([1, 2, 3, 4].map(() => openIdentity(home)))
    expect(new Set(keys.map(peerIdOf)).size).toBe(1)
  })

  it('that others may read is refused, with the command that helps', async () => {
    const home = await freshHome()
    await openIdentity(home)
    await chmod(home.identity, 0o644)

    await expect(openIdentity(home)).rejects.toMatchObject({
      code: 'STARLING_BAD_IDENTITY',
      message: expect.stringContaining(`chmod 600 '${home.identity}'`) as string
    })
  })

  it.each([
    ['missing', (home: Home) => rm(home.identity)],
    ['empty', (home: Home) => truncate(home.identity, 0)],
    ['cut short', (home: Home) => truncate(home.identity, 40)],
    ['garbage', (home: Home) => writeFile(home.identity, 'ssh-ed25519 AAAA')],
    [
      'not Ed25519',
      async (home: Home) => {
        const other = await generateKeyPair('secp256k1')
        await writeFile(home.identity, privateKeyToProtobuf(other))
      }
    ],
    [
      "another peer's",
      async (home: Home) => {
        const other = await generateKeyPair('Ed25519')
        await writeFile(home.identity, privateKeyToProtobuf(other))
      }
    ]
  ])('that is %s is an error and never silently a new one', async (_what, damage) => {
    const home = await freshHome()
    const before = peerIdOf(await openIdentity(home))
    const backup = await readFile(home.identity)
    await damage(home)

    await expect(openIdentity(home)).rejects.toMatchObject({ code: 'STARLING_BAD_IDENTITY' })

    await writeFile(home.identity, backup, { mode: 0o600 })
    expect(peerIdOf(await openIdentity(home))).toBe(before)
  })

  it('that is missing leaves its place empty, for the backup', async () => {
    const home = await freshHome()
    await openIdentity(home)
    await rm(home.identity)

    await expect(openIdentity(home)).rejects.toMatchObject({ code: 'STARLING_BAD_IDENTITY' })
    await expect(stat(home.identity)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('behind a symbolic link is not followed', async () => {
    const home = await freshHome()
    await openIdentity(home)
    await rename(home.identity, `${home.identity}-elsewhere`)
    await symlink(`${home.identity}-elsewhere`, home.identity)

    await expect(openIdentity(home)).rejects.toMatchObject({ code: 'STARLING_HOME_UNUSABLE' })
  })
})
