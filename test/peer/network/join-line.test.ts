import { describe, expect, it } from 'vitest'
import { joinLine } from '../../../peer/network/join-line.ts'

const self = '12D3KooWJWEKvSFbben74C7H4YtKjhPMTDxd7gP7zxWSUEeF27st'
const loopback = '/ip4/127.0.0.1/tcp/4001'
const lan = '/ip4/192.168.1.5/tcp/4001'
const open = '/ip4/11.22.33.44/tcp/4001'

describe('joinLine', () => {
  it('prefers what works from furthest away', () => {
    const best = (...addresses: string[]) => joinLine(self, addresses)
    expect(best(loopback, lan, open)).toMatchObject({
      address: `${open}/p2p/${self}`,
      reach: 'public'
    })
    expect(best(loopback, lan)).toMatchObject({ address: `${lan}/p2p/${self}`, reach: 'lan' })
    expect(best(loopback)).toMatchObject({ address: `${loopback}/p2p/${self}`, reach: 'loopback' })
    expect(best()).toBeUndefined()
  })

  it('names our id once, wherever it came from', () => {
    expect(joinLine(self, [`${lan}/p2p/${self}`])?.address).toBe(`${lan}/p2p/${self}`)
  })

  it('says so when nobody else can use it', () => {
    expect(joinLine(self, [loopback])?.note).toMatch(/this machine only/)
  })
})
