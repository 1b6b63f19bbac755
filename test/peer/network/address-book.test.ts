import { describe, expect, it } from 'vitest'
import { storedAddressesMax } from '../../../src/core/limits.ts'
import { connect, startPeer } from '../swarm.ts'

describe('a peer with hundreds of addresses', () => {
  it('is a peer, and libp2p remembers some of them', async () => {
    // As many as fit into one identify message, twice: plain and signed.
    const announce = Array.from(
      { length: 300 },
      (_, i) => `/ip4/11.0.${i >> 8}.${i & 255}/tcp/4001`
    )
    const loud = await startPeer({ network: { announce } })
    const us = await startPeer()
    await connect(loud, us)
    const stored = async (): Promise<number> => {
      const { addresses } = await us.node.peerStore.get(loud.node.peerId)
      return addresses.length
    }
    await expect.poll(stored).toBe(storedAddressesMax)
  })
})
