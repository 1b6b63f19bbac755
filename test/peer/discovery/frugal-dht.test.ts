import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, PeerId } from '@libp2p/interface'
import type { ConnectionManager } from '@libp2p/interface-internal'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, expect, it } from 'vitest'
import { frugal } from '../../../peer/discovery/frugal-dht.ts'
import { DialBudget } from '../../../peer/nat/dial-budget.ts'

const protocol = '/starling/kad/1.0.0'

async function somebody(): Promise<PeerId> {
  return peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
}

/** What the DHT sees of a libp2p node that is connected to one friend: everybody else does not answer. */
function managerOf(friend: PeerId, connection: Pick<Connection, 'limits'> = {}) {
  const asked: string[] = []
  const manager = {
    getConnections: (peer: PeerId) => (peer.equals(friend) ? [connection] : []),
    openStream: (peer: PeerId) => {
      asked.push(peer.toString())
      return Promise.reject(new Error('nobody answers'))
    }
  }
  return { asked, manager: manager as unknown as ConnectionManager }
}

describe('the DHT of a swarm whose peers are gone', () => {
  it('dials a few of them in a minute, and asks whom we are connected to all the same', async () => {
    let nowMs = 0
    const friend = await somebody()
    const { asked, manager } = managerOf(friend)
    const few = frugal(manager, new DialBudget(3, () => nowMs))

    for (let i = 0; i < 10; i++) {
      await few.openStream(await somebody(), protocol).catch(() => undefined)
    }
    expect(asked.length).toBe(3)
    for (let i = 0; i < 10; i++) await few.openStream(friend, protocol).catch(() => undefined)
    expect(asked.filter((peer) => peer === friend.toString()).length).toBe(10)
    nowMs += 20_000
    await few.openStream(await somebody(), protocol).catch(() => undefined)
    expect(asked.length).toBe(14)
  })

  it('dials nobody whom only a limited relay leads to, again', async () => {
    const friend = await somebody()
    const { asked, manager } = managerOf(friend, { limits: { bytes: 131_072n } })
    const few = frugal(manager, new DialBudget(3, () => 0))
    await expect(few.openStream(friend, protocol)).rejects.toThrow('limited relay')
    expect(asked).toEqual([])
  })
})
