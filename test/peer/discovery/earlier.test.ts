import { generateKeyPair } from '@libp2p/crypto/keys'
import { describe, expect, it } from 'vitest'
import { startHelper } from '../nat/helper.ts'
import { scratchDirectory } from '../scratch.ts'
import { connect, contactOf, startPeer } from '../swarm.ts'

describe('peers of an earlier run', () => {
  it('are known from the start, with no DHT to ask; helpers are not among them', async () => {
    const datastorePath = await scratchDirectory()
    const mine = { privateKey: await generateKeyPair('Ed25519') }
    // As in a private swarm.
    const network = { datastorePath, isPrivate: true }
    const [helper, ben] = [await startHelper(), await startPeer()]
    const first = await startPeer({ ...mine, network })
    await first.node.dial(helper.getMultiaddrs()[0]!)
    await connect(first, ben)
    await first.body.stop()

    const again = await startPeer({ ...mine, network })
    const { contacts } = await again.inputs.first('discovered')
    expect(contacts).toEqual([contactOf(ben)])
  })

  it('are not looked for by who is told whom to be connected to', async () => {
    const network = { datastorePath: await scratchDirectory(), isPrivate: true }
    const privateKey = await generateKeyPair('Ed25519')
    const ben = await startPeer()
    const first = await startPeer({ privateKey, network })
    await connect(first, ben)
    await first.body.stop()

    const again = await startPeer({ privateKey, network, remembers: false })
    await connect(again, ben) // by when they would have been told of
    expect(again.inputs.of('discovered')).toEqual([])
  })
})
