import { generateKeyPair } from '@libp2p/crypto/keys'
import * as library from '@libp2p/webrtc'
import { describe, expect, it } from 'vitest'
import type { Message } from '../../../protocols/messages.ts'
import { bodyDefaults } from '../../../peer/body.ts'
import { loadWebRtc } from '../../../peer/nat/webrtc-library.ts'
import { startPeer, type Peer } from '../swarm.ts'
import { startHelper, until } from './helper.ts'

/** Two peers whom TCP does not bring together: on loopback no address is one to punch at. */
async function behindRelay() {
  const helper = await startHelper()
  const relay = helper.getMultiaddrs()[0]!
  const network = { webrtc: library }
  const [ana, ben] = await Promise.all([startPeer({ network }), startPeer({ network })])
  await Promise.all([ana.node.dial(relay), ben.node.dial(relay)])
  await until(ben.node, () => ben.node.getMultiaddrs().some((own) => /circuit/.test(`${own}`)))
  const dial = () =>
    ana.body.perform({
      kind: 'connect',
      contact: { peer: ben.id, addresses: [`${relay.toString()}/p2p-circuit`] }
    })
  return { ana, ben, dial, relay }
}

function viewsOf(peer: Peer, other: Peer) {
  return peer.body.status().connections.filter(({ peer: id }) => id === other.id)
}

describe('WebRTC', () => {
  it('brings together whom a TCP punch does not', async () => {
    const { ana, ben, dial } = await behindRelay()
    const t = performance.now()
    dial()

    await Promise.all([ana.inputs.first('peerUp'), ben.inputs.first('peerUp')])
    console.log('up after', performance.now() - t)
    const told = await ana.events.first('connection', ({ path }) => path === 'punched')
    expect(told).toMatchObject({ peer: ben.id, by: 'webrtc', limited: false })
    await until(ana.node, () => viewsOf(ana, ben).length === 1)
    console.log(viewsOf(ana, ben), viewsOf(ben, ana), performance.now() - t)
  })
})
