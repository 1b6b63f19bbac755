import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { dialable, readPeerAddress, tellable } from '../../../peer/network/addresses.ts'

const peer = '12D3KooWJWEKvSFbben74C7H4YtKjhPMTDxd7gP7zxWSUEeF27st'
const relay = '12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X'
const circuit = `/ip4/11.0.0.1/tcp/4001/p2p/${relay}/p2p-circuit`
const named = '/dns4/example.org/tcp/4001'

describe('addresses of peers', () => {
  it.each([circuit, named, '/ip6/2001:db8::1/tcp/4001', '/dns6/example.org/tcp/4001'])(
    'are read with the peer that must answer at the end: %s',
    (address) => {
      const read = readPeerAddress(`${address}/p2p/${peer}`, '--join')
      expect(read.peer).toBe(peer)
      expect(read.address.toString()).toBe(`${address}/p2p/${peer}`)
    }
  )

  it('through a relay are no addresses of the relay', () => {
    expect(() => readPeerAddress(circuit, '--join')).toThrow(/does not end in \/p2p/)
    expect(dialable(relay, [`${circuit}/p2p/${peer}`])).toEqual([])
  })

  it('are made ready to dial, with or without the peer', () => {
    const ready = dialable(peer, [circuit, `${circuit}/p2p/${peer}`, named]).map(String)
    expect(ready).toEqual([
      `${circuit}/p2p/${peer}`,
      `${circuit}/p2p/${peer}`,
      `${named}/p2p/${peer}`
    ])
  })

  it('are told without our id, but with that of the relay', () => {
    const ours = [`${circuit}/p2p/${peer}`, circuit, `${named}/p2p/${peer}`]
    expect(tellable(ours.map((text) => multiaddr(text)))).toEqual([named, circuit])
  })
})
