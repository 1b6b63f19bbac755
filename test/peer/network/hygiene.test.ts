import { multiaddr } from '@multiformats/multiaddr'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { trustedAddressesMax } from '../../../src/core/limits.ts'
import { complaintOf, DialRules } from '../../../peer/network/hygiene.ts'

const peer = '12D3KooWJWEKvSFbben74C7H4YtKjhPMTDxd7gP7zxWSUEeF27st'
const other = '12D3KooWKnDdG3iXw9eTFijk3EWSunZcFi54Zka4wmtqtt6rPxc8'

/** A host in the public internet that has met nobody. */
const nowhere = { subnets: ['11.0.0.0/24'], company: [] }
const atHome = { subnets: ['192.168.1.0/24', 'fd12:3456::/64', '169.254.7.0/24'], company: [] }

describe('an address that others told us', () => {
  it.each([
    // where anybody may be reached
    ['/ip4/11.22.33.44/tcp/4001', undefined],
    ['/ip4/11.22.33.44/tcp/443/wss', undefined],
    ['/ip6/2a01:4f8::1/tcp/4001', undefined],
    [`/ip4/11.22.33.44/tcp/4001/p2p/${other}/p2p-circuit/p2p/${peer}`, undefined],
    ['/memory/ana', undefined],
    // where a stranger has no business to send us
    ['/ip4/127.0.0.1/tcp/8080', 'loopback'],
    ['/ip4/127.8.9.10/tcp/8080', 'loopback'],
    ['/ip6/::1/tcp/8080', 'loopback'],
    ['/ip4/0.0.0.0/tcp/8080', 'unspecified'],
    ['/ip6/::/tcp/8080', 'unspecified'],
    ['/ip4/10.0.0.1/tcp/8080', 'private'],
    ['/ip4/172.31.255.1/tcp/8080', 'private'],
    ['/ip4/192.168.1.1/tcp/8080', 'private'],
    ['/ip4/100.64.0.1/tcp/8080', 'private'],
    ['/ip4/198.18.0.1/tcp/8080', 'private'],
    ['/ip6/fd00::1/tcp/8080', 'private'],
    ['/ip4/169.254.1.1/tcp/8080', 'link-local'],
    ['/ip6/fe80::1/tcp/8080', 'link-local'],
    ['/ip4/224.0.0.251/tcp/5353', 'multicast'],
    ['/ip4/255.255.255.255/tcp/8080', 'multicast'],
    ['/ip6/ff02::1/tcp/8080', 'multicast'],
    ['/ip4/169.254.169.254/tcp/80', 'metadata'],
    ['/ip6/fd00:ec2::254/tcp/80', 'metadata'],
    // the same in other clothes
    ['/ip6/::ffff:127.0.0.1/tcp/8080', 'loopback'],
    ['/ip6/::127.0.0.1/tcp/8080', 'loopback'],
    ['/ip6/64:ff9b::10.0.0.1/tcp/8080', 'private'],
    ['/ip6/2002:c0a8:101::1/tcp/8080', 'private'],
    ['/ip6/::ffff:169.254.169.254/tcp/80', 'metadata'],
    [`/ip4/192.168.1.1/tcp/8080/p2p/${other}/p2p-circuit/p2p/${peer}`, 'private'],
    // services of the system
    ['/ip4/11.22.33.44/tcp/22', 'port'],
    ['/ip4/11.22.33.44/tcp/25', 'port'],
    ['/ip4/11.22.33.44/tcp/0', 'port'],
    // nowhere at all
    ['/dns4/localhost/tcp/8080', 'no-place'],
    ['/dns4/example.org/tcp/443/wss', 'no-place'],
    ['/dnsaddr/example.org', 'no-place'],
    ['/unix/tmp%2fsocket', 'no-place'],
    ['/ip6zone/eth0/ip6/fe80::1/tcp/4001', 'no-place'],
    [`/p2p/${peer}`, 'no-place'],
    ['/', 'no-place']
  ])('%s: %s', (address, complaint) => {
    expect(complaintOf(multiaddr(address), nowhere)).toBe(complaint)
  })

  it.each([
    ['/ip4/192.168.1.77/tcp/4001', undefined],
    ['/ip4/192.168.2.77/tcp/4001', 'private'],
    ['/ip6/::ffff:192.168.1.77/tcp/4001', undefined],
    ['/ip6/fd12:3456::77/tcp/4001', undefined],
    ['/ip6/fd12:9999::77/tcp/4001', 'private'],
    ['/ip4/169.254.7.7/tcp/4001', undefined],
    ['/ip4/192.168.1.1/tcp/22', 'port']
  ])('is dialed in a network of ours: %s: %s', (address, complaint) => {
    expect(complaintOf(multiaddr(address), atHome)).toBe(complaint)
  })

  it('is dialed in the kind of network where we met somebody', () => {
    const met = { subnets: [], company: ['10.1.2.3', '127.0.0.1'] }
    expect(complaintOf(multiaddr('/ip4/10.7.0.1/tcp/4001'), met)).toBeUndefined()
    expect(complaintOf(multiaddr('/ip4/127.0.0.1/tcp/4001'), met)).toBeUndefined()
    expect(complaintOf(multiaddr('/ip4/192.168.1.1/tcp/4001'), met)).toBe('private')
    const cloud = { subnets: ['169.254.0.0/16'], company: ['169.254.169.254'] }
    expect(complaintOf(multiaddr('/ip4/169.254.169.254/tcp/80'), cloud)).toBe('metadata')
  })

  it('never gets through as IPv6 what does not as IPv4', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.constantFrom('::ffff:', '::', '64:ff9b::'), (ip, prefix) => {
        fc.pre(!ip.startsWith('0.'))
        const judge = (place: string) => complaintOf(multiaddr(`${place}/tcp/4001`), nowhere)
        expect(judge(`/ip6/${prefix}${ip}`)).toBe(judge(`/ip4/${ip}`))
      })
    )
  })

  it('is judged without a crash, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV6(), fc.ipV4Extended(), fc.string()), (ip) => {
        for (const kind of ['ip4', 'ip6', 'dns4']) {
          let address
          try {
            address = multiaddr(`/${kind}/${ip}/tcp/4001`)
          } catch {
            continue
          }
          complaintOf(address, atHome)
        }
      })
    )
  })
})

describe('the rules of one node', () => {
  const rules = (...trusted: string[]) =>
    new DialRules(
      trusted.map((text) => multiaddr(text)),
      () => []
    )
  const at = (text: string) => multiaddr(text)

  it('do not judge what the user wrote', () => {
    const home = `/ip4/192.168.1.5/tcp/22/p2p/${peer}`
    expect(rules(home).complaintOf(at(home))).toBeUndefined()
    expect(rules(home).complaintOf(at(`/ip4/192.168.1.5/tcp/80/p2p/${peer}`))).toBe('private')
  })

  it('trust the relay that the user wrote', () => {
    const relay = `/ip4/192.168.1.5/tcp/4001/p2p/${other}`
    const given = rules(`${relay}/p2p-circuit/p2p/${peer}`)
    expect(given.complaintOf(at(relay))).toBeUndefined()
    expect(given.complaintOf(at(`${relay}/p2p-circuit/p2p/${peer}`))).toBeUndefined()
  })

  it("follow the user's names to where they lead, and nobody else's", () => {
    const [ours, theirs] = [at('/dns4/nas.lan/tcp/4001'), at('/dns4/evil.example/tcp/4001')]
    const given = rules(ours.toString())
    given.resolved(ours, [at('/ip4/192.168.1.5/tcp/4001')])
    given.resolved(theirs, [at('/ip4/192.168.1.1/tcp/4001')])
    expect(given.complaintOf(at('/ip4/192.168.1.5/tcp/4001'))).toBeUndefined()
    expect(given.complaintOf(at('/ip4/192.168.1.1/tcp/4001'))).toBe('private')
  })

  it('do not grow with what a name leads to', () => {
    const name = at('/dns4/nas.lan/tcp/4001')
    const given = rules(name.toString())
    const last = at('/ip4/192.168.255.255/tcp/4001')
    given.resolved(name, [
      ...Array.from({ length: trustedAddressesMax }, (_, i) =>
        at(`/ip4/10.0.${i >> 8}.${i & 255}/tcp/4001`)
      ),
      last
    ])
    expect(given.complaintOf(last)).toBe('private')
  })

  it('learn from direct connections, and not from relayed ones', () => {
    const given = rules()
    given.met(at(`/ip4/10.0.0.1/tcp/4001/p2p/${other}/p2p-circuit/p2p/${peer}`))
    expect(given.complaintOf(at('/ip4/10.0.0.2/tcp/4001'))).toBe('private')
    given.met(at('/ip4/10.0.0.1/tcp/4001'))
    expect(given.complaintOf(at('/ip4/10.0.0.2/tcp/4001'))).toBeUndefined()
  })
})
