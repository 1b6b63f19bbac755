import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startNode } from '../swarm.ts'
import { tinyTask } from '../../tiny-task.ts'

let home: string
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'starling-network-'))
})
afterAll(() => rm(home, { recursive: true, force: true }))

describe('createNetwork', () => {
  it('names the port that is taken', async () => {
    const first = await startNode()
    const address = first.getMultiaddrs()[0]!.decapsulate('/p2p').toString()
    const port = address.split('/').at(-1)
    await expect(startNode({ listen: [address] })).rejects.toMatchObject({
      code: 'STARLING_PORT_TAKEN',
      message: expect.stringContaining(`port ${port} on 127.0.0.1`) as string
    })
  })

  it('names an address that is malformed, not TCP, or not of this machine', async () => {
    for (const address of ['127.0.0.1:4001', '/ip4/127.0.0.1/udp/1', '/ip4/192.0.2.1/tcp/0']) {
      await expect(startNode({ listen: [address] })).rejects.toMatchObject({
        code: 'STARLING_BAD_MULTIADDR',
        message: expect.stringContaining(address.split('/')[2] ?? address) as string
      })
    }
  })

  it('announces what it is told to', async () => {
    const node = await startNode({ announce: ['/ip4/192.0.2.7/tcp/4001'] })
    const told = node.getMultiaddrs().map(String)
    expect(told.some((address) => address.startsWith('/ip4/192.0.2.7/tcp/4001'))).toBe(true)
  })

  it('takes several pings at once: the DHT pings while the connection monitor does', async () => {
    const [ana, ben] = [await startNode(), await startNode()]
    await ana.dial(ben.getMultiaddrs()[0]!)
    const pings = Array.from({ length: 4 }, () => ana.services.ping.ping(ben.peerId))
    expect((await Promise.all(pings)).every((ms) => ms >= 0)).toBe(true)
  })

  it('remembers peers on disk, and finds them again without their address', async () => {
    const [privateKey, ben] = [await generateKeyPair('Ed25519'), await startNode()]
    const options = { privateKey, datastorePath: join(home, 'remembers') }
    const first = await startNode(options)
    await first.dial(ben.getMultiaddrs()[0]!)
    await first.stop()
    await writeFile(join(home, 'remembers', 'peers', 'left-empty.data'), '')

    const second = await startNode(options)
    await second.dial(ben.peerId)
    expect(second.getConnections(ben.peerId).length).toBe(1)
  })

  it('keeps what strangers make it store off the disk', async () => {
    const path = join(home, 'strangers')
    const [ana, ben] = [await startNode({ datastorePath: path }), await startNode()]
    await ben.dial(ana.getMultiaddrs()[0]!)
    const task = CID.parse(tinyTask(1).cid)
    let providers = 0
    while (providers === 0) {
      // The first attempts come before the routing tables know anybody.
      await ben.contentRouting.provide(task, { signal: AbortSignal.timeout(5_000) })
      const found = ana.contentRouting.findProviders(task, { signal: AbortSignal.timeout(5_000) })
      for await (const _ of found) providers++
    }
    await ana.stop()
    expect(await readdir(path)).toEqual(['peers'])
  })

  it('starts over files that are garbage, and talks to whom they were about', async () => {
    const path = join(home, 'garbage')
    const [privateKey, ben] = [await generateKeyPair('Ed25519'), await startNode()]
    const first = await startNode({ privateKey, datastorePath: path })
    await first.dial(ben.getMultiaddrs()[0]!)
    await first.stop()
    for (const name of await readdir(join(path, 'peers'))) {
      await writeFile(join(path, 'peers', name), Buffer.alloc(99, 0xa7))
    }
    const second = await startNode({ privateKey, datastorePath: path })
    await second.dial(ben.getMultiaddrs()[0]!)
    expect(second.getConnections(ben.peerId).length).toBe(1)
  })

  it('goes on without a disk that fails, and says so once', async () => {
    const path = join(home, 'gone')
    const troubles: string[] = []
    const node = await startNode({ datastorePath: path, onTrouble: (what) => troubles.push(what) })
    await rm(path, { recursive: true, force: true })
    await writeFile(path, 'a file where the directory was')
    const [ben, cleo] = [await startNode(), await startNode()]
    await node.dial(ben.getMultiaddrs()[0]!)
    await node.dial(cleo.getMultiaddrs()[0]!)
    expect(node.getConnections().length).toBe(2)
    expect(troubles).toEqual([expect.stringContaining(path)])
  })
})
