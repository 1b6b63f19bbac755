import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { candidatesMax, observersMax } from '../../../src/core/limits.ts'
import { isPublic } from '../../../peer/nat/endpoint.ts'
import { Observers } from '../../../peer/nat/observers.ts'

const dialPort = 40_000
const home = '/ip4/11.0.0.101'

function watching(ownIps: readonly string[] = ['192.168.1.2']): Observers {
  return new Observers({ dialPort, ownIps: () => ownIps })
}

/** Far ends at 11.1.0.1, 11.1.0.2 … each say one thing. */
function told(observers: Observers, ...seen: readonly string[]): Observers {
  seen.forEach((address, index) => {
    observers.saw(`c${index}`, multiaddr(`/ip4/11.1.0.${index + 1}/tcp/4001`), multiaddr(address))
  })
  return observers
}

describe('what observers say of our address', () => {
  it.each([
    ['unknown', 'nobody says anything', []],
    ['stable', 'one sees the very port that we dial from', [`${home}/tcp/${dialPort}`]],
    ['unknown', 'one sees another port: the next may see yet another', [`${home}/tcp/7001`]],
    ['stable', 'two see the same other port', [`${home}/tcp/7001`, `${home}/tcp/7001`]],
    ['changing', 'two see two ports', [`${home}/tcp/7001`, `${home}/tcp/9444`]],
    ['changing', 'a pool of addresses', [`${home}/tcp/7001`, '/ip4/11.0.0.7/tcp/7001']],
    ['stable', 'a liar among three', [`${home}/tcp/7`, '/ip4/6.6.6.6/tcp/6', `${home}/tcp/7`]]
  ] as const)('is %s: %s', (mapping, _, seen) => {
    expect(told(watching(), ...seen).mapping).toBe(mapping)
  })

  it('is no mapping at all where our own address is what they see', () => {
    const observers = told(watching(['11.0.0.101']), `${home}/tcp/${dialPort}`)
    expect(observers.mapping).toBe('none')
    expect(observers.candidates([4001]).map(({ port }) => port)).toEqual([dialPort, 4001])
  })

  it('is told apart for both versions of IP, and the better one is named', () => {
    const observers = told(watching(['2a0b::7']), `${home}/tcp/7001`, `${home}/tcp/9444`)
    const far = multiaddr('/ip6/2a0b::1/tcp/4001')
    observers.saw('six', far, multiaddr(`/ip6/2a0b::7/tcp/${dialPort}`))
    expect(observers.outside('ip4').mapping).toBe('changing')
    expect(observers.mapping).toBe('none')
    expect(observers.external).toEqual([`/ip6/2a0b::7/tcp/${dialPort}`])
  })

  it('counts one voice for each address, its newest', () => {
    const observers = watching()
    const liar = multiaddr('/ip4/11.1.0.9/tcp/4001')
    for (const id of ['a', 'b', 'c']) observers.saw(id, liar, multiaddr('/ip4/6.6.6.6/tcp/6666'))
    told(observers, `${home}/tcp/7001`, `${home}/tcp/7001`)
    expect(observers.external).toEqual([`${home}/tcp/7001`])
  })

  it('forgets what was said over a connection that is gone', () => {
    const observers = told(watching(), `${home}/tcp/7001`, `${home}/tcp/9444`)
    observers.forget('c1')
    expect(observers.external).toEqual([`${home}/tcp/7001`])
    observers.forget('c0')
    expect(observers.mapping).toBe('unknown')
  })

  it.each([
    ['a far end on the same network', '/ip4/192.168.1.9/tcp/4001', `${home}/tcp/7001`],
    ['a private address as ours', '/ip4/11.1.0.1/tcp/4001', '/ip4/192.168.1.2/tcp/7001'],
    ['a multicast address as ours', '/ip4/11.1.0.1/tcp/4001', '/ip4/239.1.1.1/tcp/7001'],
    ['what is no TCP address', '/ip4/11.1.0.1/tcp/4001', '/ip4/11.0.0.101/udp/7001']
  ])('does not believe %s', (_, far, seen) => {
    const observers = watching()
    observers.saw('c', multiaddr(far), multiaddr(seen))
    expect(observers.external).toEqual([])
  })

  it('believes a helper that was dialed by its name', () => {
    const observers = watching()
    const helper = multiaddr('/dns4/helper.example/tcp/4001')
    observers.saw('c', helper, multiaddr(`${home}/tcp/${dialPort}`))
    expect(observers.mapping).toBe('stable')
  })

  it('predicts the next ports of a router that hands them out in order', () => {
    const upwards = told(watching(), `${home}/tcp/7001`, `${home}/tcp/7003`, `${home}/tcp/7004`)
    expect(upwards.candidates([]).map(({ port }) => port)).toEqual([7005, 7006, 7007, 7008])
    const downwards = told(watching(), `${home}/tcp/7004`, `${home}/tcp/7002`)
    expect(downwards.candidates([]).map(({ port }) => port)).toEqual([7000, 6998, 6996, 6994])
  })

  it.each([
    ['at random', [7001, 52_113]],
    ['up and down', [7001, 7002, 7001, 7003]]
  ])('predicts nothing where ports go %s', (_, ports) => {
    const seen = ports.map((port) => `${home}/tcp/${port}`)
    expect(told(watching(), ...seen).candidates([4001])).toEqual([])
  })

  it('comes to a bounded, dialable answer whatever it is told', () => {
    const ip = fc.ipV4().map((text) => `/ip4/${text}`)
    const address = fc.tuple(ip, fc.nat(65_535)).map(([host, port]) => `${host}/tcp/${port}`)
    const word = fc.record({ id: fc.nat(60).map(String), far: address, seen: address })
    fc.assert(
      fc.property(fc.array(word, { maxLength: 80 }), fc.array(fc.nat(65_535)), (words, ports) => {
        const observers = watching()
        for (const { id, far, seen } of words) observers.saw(id, multiaddr(far), multiaddr(seen))
        const candidates = observers.candidates(ports)
        expect(candidates.length).toBeLessThanOrEqual(candidatesMax)
        expect(candidates.every(isPublic)).toBe(true)
        const believed = new Set(words.map(({ seen }) => seen))
        expect(observers.external.every((external) => believed.has(external))).toBe(true)
      })
    )
  })

  it('lets a minority of liars decide nothing', () => {
    const liars = fc.array(fc.nat(60_000), { maxLength: 9 })
    fc.assert(
      fc.property(liars, fc.nat(5), (lies, more) => {
        const honest = Array<string>(lies.length + 1 + more).fill(`${home}/tcp/7001`)
        const seen = [...lies.map((port) => `/ip4/6.6.6.6/tcp/${port + 1}`), ...honest]
        expect(told(watching(), ...seen).external).toEqual([`${home}/tcp/7001`])
      })
    )
  })

  it('keeps the word of so many and no more', () => {
    const observers = watching()
    for (let index = 0; index < observersMax + 1; index++) {
      const far = multiaddr(`/ip4/11.1.${index}.1/tcp/4001`)
      observers.saw(String(index), far, multiaddr(`${home}/tcp/${index === 0 ? 7002 : 7001}`))
    }
    expect(observers.external).toEqual([`${home}/tcp/7001`])
    for (let index = 1; index <= observersMax; index++) observers.forget(String(index))
    expect(observers.mapping).toBe('unknown') // the first one was forgotten long ago
  })
})
