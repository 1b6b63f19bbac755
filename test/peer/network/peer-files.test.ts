import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PeerFiles } from '../../../peer/network/peer-files.ts'
import { scratchDirectory } from '../scratch.ts'

describe('files about peers, when libp2p stops', () => {
  it('are written to the end, and no more after that', async () => {
    const path = await scratchDirectory()
    const files = new PeerFiles(path, () => undefined)
    await files.open()
    const keyOf = (peer: string) => files._decode(join(path, 'peers', `${peer}.data`))
    const begun = files.put(keyOf('ana'), Uint8Array.of(1))
    await files.afterStop()
    expect(await readdir(join(path, 'peers'))).toEqual(['ana.data'])

    await files.put(keyOf('ben'), Uint8Array.of(2))
    await files.delete(await begun)
    expect(await readdir(join(path, 'peers'))).toEqual(['ana.data'])
    expect(await files.get(keyOf('ben'))).toEqual(Uint8Array.of(2))
  })
})
