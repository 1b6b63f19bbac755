import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { isOnLan, LanContacts } from '../../../peer/discovery/lan.ts'
import { lanPeersPerMinuteMax } from '../../../src/core/limits.ts'
import { startPeer } from '../swarm.ts'

const someone = async () => ({
  id: peerIdFromPrivateKey(await generateKeyPair('Ed25519')),
  multiaddrs: [multiaddr('/ip4/192.168.1.5/tcp/4001')]
})

describe('the local network', () => {
  it('is not there for who listens on loopback alone', () => {
    expect(isOnLan(['/ip4/127.0.0.1/tcp/4001', '/ip6/::1/tcp/4001', '/memory/ana'])).toBe(false)
  })

  it('has two peers find each other that know nobody', async () => {
    // Multicast is looped back to this machine; both announce their address on it.
    const [ana, ben] = [
      await startPeer({ network: { lan: true } }),
      await startPeer({ network: { lan: true } })
    ]
    const { contacts } = await ana.inputs.first('discovered', ({ contacts }) =>
      contacts.some(({ peer }) => peer === ben.id)
    )
    expect(contacts[0]?.addresses).toEqual(ben.body.status().addresses)
    await ben.inputs.first('discovered', ({ contacts }) => contacts[0]?.peer === ana.id)
  })

  it('may announce thousands: some tens a minute are met, each once', async () => {
    let nowMs = 0
    const contacts = new LanContacts('us', () => nowMs)
    const crowd = await Promise.all(Array.from({ length: 200 }, someone))
    const met = () => [...crowd, ...crowd].flatMap((peer) => contacts.contactOf(peer) ?? []).length
    expect(met()).toBe(lanPeersPerMinuteMax)
    nowMs = 59_999
    expect(met()).toBe(0)
    nowMs = 60_000
    expect(met()).toBe(lanPeersPerMinuteMax)
  })

  it('does not find ourselves', async () => {
    const us = await someone()
    expect(new LanContacts(us.id.toString(), () => 0).contactOf(us)).toBeUndefined()
  })
})
