import { describe, expect, it } from 'vitest'
import { joinLine, type Tried } from '../../../peer/network/join-line.ts'

const self = '12D3KooWJWEKvSFbben74C7H4YtKjhPMTDxd7gP7zxWSUEeF27st'
const relay = '12D3KooWPjceQrSwdWXPyLLeABRXmuqt69Rg3sBYbU1Nft9HyQ6X'
const loopback = '/ip4/127.0.0.1/tcp/4001'
const lan = '/ip4/192.168.1.5/tcp/4001'
const open = '/ip4/11.22.33.44/tcp/4001'
const circuit = `/ip4/11.0.0.1/tcp/4001/p2p/${relay}/p2p-circuit`
const named = `/dns4/home.example.org/tcp/4001`

describe('joinLine', () => {
  const best = (...addresses: string[]) => joinLine(self, addresses)

  it('prefers what works from furthest away', () => {
    expect(best(loopback, lan, circuit, open)).toMatchObject({
      address: `${open}/p2p/${self}`,
      reach: 'public'
    })
    expect(best(loopback, lan, circuit)).toMatchObject({
      address: `${circuit}/p2p/${self}`,
      reach: 'relayed'
    })
    expect(best(loopback, lan)).toMatchObject({ address: `${lan}/p2p/${self}`, reach: 'lan' })
    expect(best(loopback)).toMatchObject({ address: `${loopback}/p2p/${self}`, reach: 'loopback' })
    expect(best(lan, named)?.address).toBe(`${named}/p2p/${self}`)
    expect(best()).toBeUndefined()
  })

  it('prefers itself to a relay on the same machine or network', () => {
    const near = (host: string) => `/ip4/${host}/tcp/9/p2p/${relay}/p2p-circuit`
    expect(best(near('127.0.0.1'), loopback)?.address).toBe(`${loopback}/p2p/${self}`)
    expect(best(near('192.168.1.9'), lan)?.address).toBe(`${lan}/p2p/${self}`)
  })

  it('trusts what others found out more than what we believe', () => {
    const after = (tried: Partial<Tried>) =>
      joinLine(self, [open, named, circuit, lan], { reached: [], unreachable: [], ...tried })
    expect(after({ reached: [named] })).toMatchObject({
      address: `${named}/p2p/${self}`,
      note: 'works from anywhere'
    })
    expect(after({ unreachable: [open, named] })).toMatchObject({
      address: `${circuit}/p2p/${self}`,
      reach: 'relayed'
    })
  })

  it('names our id once, wherever it came from', () => {
    expect(best(`${lan}/p2p/${self}`)?.address).toBe(`${lan}/p2p/${self}`)
    expect(best(`${circuit}/p2p/${self}`)?.address).toBe(`${circuit}/p2p/${self}`)
  })

  it('says so when nobody else can use it', () => {
    expect(best(loopback)?.note).toMatch(/this machine only/)
  })
})
