import * as cbor from '@ipld/dag-cbor'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { candidatesMax } from '../../../src/core/limits.ts'
import { endpointOf, isPublic, type Endpoint } from '../../../peer/nat/endpoint.ts'
import {
  answerSchema,
  decode,
  encode,
  meetingPlaces,
  requestSchema
} from '../../../peer/nat/punch-messages.ts'

const peer = '12D3KooWGRUfVRtPfkvZtEmbBjcgC9X1KVNzLzJ3K2nX2vfWVN9b'
const other = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const own: Endpoint[] = [{ family: 'ip4', ip: '11.0.0.101', port: 40_000 }]

function places(...claims: readonly string[]): string[] {
  return meetingPlaces(peer, claims, isPublic, own).map(String)
}

describe('what peers say to meet half way', () => {
  it('is read as it was written', () => {
    const request = { addresses: ['/ip4/11.0.0.102/tcp/7001'] }
    expect(decode(requestSchema, encode(request))).toEqual(request)
    expect(decode(answerSchema, encode({ refused: 'busy' }))).toEqual({ refused: 'busy' })
  })

  it.each([
    ['no CBOR', Uint8Array.of(0xff, 0, 1)],
    ['nothing', new Uint8Array()],
    ['another thing', cbor.encode([1, 2])],
    ['too many addresses', cbor.encode({ addresses: Array<string>(candidatesMax + 1).fill('/') })],
    ['an endless address', cbor.encode({ addresses: ['/ip4/'.repeat(99)] })],
    ['numbers', cbor.encode({ addresses: [1] })]
  ])('is nothing when it is %s', (_, bytes) => {
    expect(decode(requestSchema, bytes)).toBeUndefined()
  })

  it('is nothing, and no failure, when it is random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const schema of [requestSchema, answerSchema]) decode(schema, bytes)
      })
    )
  })
})

describe('where a peer may have us knock', () => {
  it('is where that very peer must answer', () => {
    expect(places('/ip4/11.0.0.102/tcp/7001', `/ip4/11.0.0.102/tcp/7002/p2p/${peer}`)).toEqual([
      `/ip4/11.0.0.102/tcp/7001/p2p/${peer}`,
      `/ip4/11.0.0.102/tcp/7002/p2p/${peer}`
    ])
  })

  it.each([
    ['an address of this machine', '/ip4/127.0.0.1/tcp/7001'],
    ['the local network', '/ip4/192.168.1.1/tcp/7001'],
    ['the network of a carrier', '/ip4/100.64.0.1/tcp/7001'],
    ['many at once', '/ip4/224.0.0.251/tcp/7001'],
    ['a system service', '/ip4/11.0.0.102/tcp/22'],
    ['ourselves', '/ip4/11.0.0.101/tcp/40000'],
    ['another peer', `/ip4/11.0.0.102/tcp/7001/p2p/${other}`],
    ['a relay', `/ip4/11.0.0.102/tcp/7001/p2p/${other}/p2p-circuit/p2p/${peer}`],
    ['a name', '/dns4/victim.example/tcp/7001'],
    ['no port', '/ip4/11.0.0.102/tcp/0'],
    ['nonsense', '////']
  ])('is not %s', (_, claim) => {
    expect(places(claim)).toEqual([])
  })

  it('is one address of each version of IP, however many are claimed', () => {
    const claims = ['/ip4/11.0.0.102/tcp/7001', '/ip4/9.9.9.9/tcp/7001', '/ip6/2a0b::7/tcp/7001']
    expect(places(...claims).length).toBe(2)
  })

  it('is few, public and distinct, whatever is claimed', () => {
    const parts = fc.oneof(fc.string(), fc.ipV4(), fc.constantFrom('ip4', 'tcp', '22', '7001', ''))
    const claim = fc.oneof(
      fc.string(),
      fc.array(parts).map((list) => list.join('/')),
      fc.tuple(fc.ipV4(), fc.nat(70_000)).map(([ip, port]) => `/ip4/${ip}/tcp/${port}`)
    )
    fc.assert(
      fc.property(fc.array(claim, { maxLength: 12 }), (claims) => {
        const found = meetingPlaces(peer, claims, isPublic, own)
        expect(found.length).toBeLessThanOrEqual(candidatesMax)
        expect(new Set(found.map(String)).size).toBe(found.length)
        const endpoints = found.map((place) => endpointOf(place)!)
        expect(endpoints.every((endpoint) => isPublic(endpoint) && endpoint.port >= 1024)).toBe(
          true
        )
        expect(new Set(endpoints.map(({ ip }) => ip)).size).toBeLessThanOrEqual(1)
      })
    )
  })
})
