import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { groupsOf, placeOf, placeOfIp } from '../../../peer/network/place.ts'

describe('where somebody connects from', () => {
  it.each([
    ['11.22.33.44', '11.22.33.44', '11.22.33/24'],
    ['::ffff:11.22.33.44', '11.22.33.44', '11.22.33/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2/64', '2001:db8:1/48'],
    ['2001:0db8::1', '2001:db8:0:0/64', '2001:db8:0/48'],
    ['fe80::1%eth0', 'fe80:0:0:0/64', 'fe80:0:0/48'],
    ['::1', '0:0:0:0/64', '0:0:0/48']
  ])('is a host and a subnet for %s', (ip, host, subnet) => {
    expect(placeOfIp(ip)).toEqual({ host, subnet })
  })

  it('is read from the outermost address, and unknown without an IP', () => {
    expect(placeOf(multiaddr('/ip4/11.0.0.1/tcp/1/ws'))?.host).toBe('11.0.0.1')
    expect(placeOf(multiaddr('/ip6/2001:db8::1/tcp/1'))?.subnet).toBe('2001:db8:0/48')
    expect(placeOf(multiaddr('/memory/x'))).toBeUndefined()
  })

  it('knows an IPv4 address at the end of an IPv6 one', () => {
    expect(groupsOf('64:ff9b::192.0.2.33')).toEqual([
      '64',
      'ff9b',
      '0',
      '0',
      '0',
      '0',
      'c000',
      '221'
    ])
  })
})
