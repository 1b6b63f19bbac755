import { RELAY_V2_STOP_CODEC } from '@libp2p/circuit-relay-v2'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { lpStream } from '@libp2p/utils'
import type { Libp2p } from 'libp2p'
import { describe, expect, it } from 'vitest'
import type { StarlingNode } from '../../../peer/network/network.ts'
import { scratchDirectory } from '../scratch.ts'
import { startNode } from '../swarm.ts'
import { portOfNode, startHelper, until } from './helper.ts'

/** Where others reach this node through that relay. */
function circuits(node: Libp2p, relay: Libp2p): string[] {
  const through = `/p2p/${relay.peerId.toString()}/p2p-circuit`
  return node
    .getMultiaddrs()
    .map(String)
    .filter((address) => address.includes(through))
}

const isHeld = (node: StarlingNode, relay: Libp2p) => () =>
  node.services.relays?.held.includes(relay.peerId.toString()) === true &&
  circuits(node, relay).length > 0

describe('a node that meets a relay', () => {
  it('reserves a place, says so to others, and is dialled through it', async () => {
    const relay = await startHelper()
    const [ana, ben] = [await startNode(), await startNode()]
    await ana.dial(relay.getMultiaddrs()[0]!)
    await until(ana, isHeld(ana, relay))

    const address = circuits(ana, relay)[0]!
    expect(address).toBe(
      `${relay.getMultiaddrs()[0]!.toString()}/p2p-circuit/p2p/${ana.peerId.toString()}`
    )
    const connection = await ben.dial(ana.getMultiaddrs().find((each) => String(each) === address)!)
    expect(connection.remotePeer.toString()).toBe(ana.peerId.toString())
    expect(connection.limits).toBeDefined()
  })

  it('reserves again at a relay that comes back, by itself', async () => {
    const privateKey = await generateKeyPair('Ed25519')
    const first = await startHelper({ privateKey })
    const port = portOfNode(first)
    const ana = await startNode()
    await ana.dial(first.getMultiaddrs()[0]!)
    await until(ana, isHeld(ana, first))

    await first.stop()
    await until(ana, () => circuits(ana, first).length === 0)
    expect(ana.services.relays?.held).toEqual([])
    const back = await startHelper({ privateKey, port })
    await until(ana, isHeld(ana, back), 30_000)
  })

  it('takes another where one has no place left', async () => {
    const [full, free] = [await startHelper({ places: 0 }), await startHelper()]
    const ana = await startNode()
    await ana.dial(full.getMultiaddrs()[0]!)
    await ana.dial(free.getMultiaddrs()[0]!)
    await until(ana, isHeld(ana, free))
    expect(ana.services.relays?.held).toEqual([free.peerId.toString()])
  })

  it('holds three of four, and replaces one that dies', async () => {
    const helpers = await Promise.all(Array.from({ length: 4 }, () => startHelper()))
    const ana = await startNode()
    for (const helper of helpers) await ana.dial(helper.getMultiaddrs()[0]!)
    await until(ana, () => ana.services.relays?.held.length === 3)

    const held = ana.services.relays!.held
    const dying = helpers.find(({ peerId }) => held.includes(peerId.toString()))!
    const spare = helpers.find(({ peerId }) => !held.includes(peerId.toString()))!
    await dying.stop()
    await until(ana, isHeld(ana, spare))
    expect(ana.services.relays?.held.length).toBe(3)
  })

  it('takes its place again when it starts again, with nobody telling it where', async () => {
    const [relay, datastorePath] = [await startHelper(), await scratchDirectory()]
    const options = { datastorePath, privateKey: await generateKeyPair('Ed25519') }
    const first = await startNode(options)
    await first.dial(relay.getMultiaddrs()[0]!)
    await until(first, isHeld(first, relay))
    await first.stop()

    const again = await startNode(options)
    await until(again, isHeld(again, relay))
  })

  it('refuses what comes through a relay that it did not choose', async () => {
    const [ana, stranger] = [await startNode(), await startNode()]
    const connection = await stranger.dial(ana.getMultiaddrs()[0]!)
    const stream = await connection.newStream(RELAY_V2_STOP_CODEC)
    const answer = lpStream(stream).read({ signal: AbortSignal.timeout(5_000) })
    await expect(answer).rejects.toThrow(/closed|reset/)
    expect(ana.services.relays?.held).toEqual([])
  })
})
