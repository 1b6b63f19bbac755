import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { placeOfIp } from '../../../peer/network/place.ts'
import { Gate, type Visit } from '../../../peer/relay/gate.ts'
import { relayLimitDefaults, type RelayLimits } from '../../../peer/relay/limits.ts'

/** Who may connect to a relay, counted. */

const gateWith = (limits: Partial<RelayLimits> = {}) =>
  new Gate({ ...relayLimitDefaults, ...limits })

/** Somebody comes and proves who it is. */
function arrive(gate: Gate, ip: string, nowMs = 0): Visit {
  const visit = gate.enter(placeOfIp(ip), 0, nowMs)
  if (typeof visit === 'string') throw new Error(visit)
  visit.settle()
  return visit
}

const enter = (gate: Gate, ip: string, nowMs = 0) => {
  const visit = gate.enter(placeOfIp(ip), 0, nowMs)
  return typeof visit === 'string' ? visit : 'in'
}

describe('the gate of a relay', () => {
  it('lets one host have its share, and again when one of its connections ends', () => {
    const gate = gateWith({ perIp: 2 })
    const first = arrive(gate, '11.0.0.1')
    arrive(gate, '11.0.0.1')
    expect(enter(gate, '11.0.0.1')).toBe('connections-per-ip')
    expect(enter(gate, '11.0.0.2')).toBe('in')
    first.leave()
    expect(enter(gate, '11.0.0.1')).toBe('in')
  })

  it('lets one subnet have its share', () => {
    const gate = gateWith({ perSubnet: 2 })
    arrive(gate, '11.0.0.1')
    arrive(gate, '11.0.0.2')
    expect(enter(gate, '11.0.0.3')).toBe('connections-per-subnet')
    expect(enter(gate, '11.0.1.1')).toBe('in')
  })

  it('counts an IPv6 /64 as one host and a /48 as one subnet', () => {
    const gate = gateWith({ perIp: 1, perSubnet: 2 })
    arrive(gate, '2001:db8:1:1::1')
    expect(enter(gate, '2001:db8:1:1:ffff::2')).toBe('connections-per-ip')
    arrive(gate, '2001:db8:1:2::1')
    expect(enter(gate, '2001:db8:1:3::1')).toBe('connections-per-subnet')
    expect(enter(gate, '2001:db8:2::1')).toBe('in')
  })

  it('lets nobody in who says nothing when too many already say nothing, but others', () => {
    const gate = gateWith()
    for (let i = 0; i < 16; i++) expect(enter(gate, '11.0.0.1')).toBe('in')
    expect(enter(gate, '11.0.0.1')).toBe('handshakes')
    for (let i = 2; i < 5; i++) for (let j = 0; j < 16; j++) enter(gate, `11.0.0.${i}`)
    expect(enter(gate, '11.0.0.9')).toBe('handshakes') // its subnet has its share
    expect(enter(gate, '11.0.1.1')).toBe('in')
  })

  it('turns away whoever comes too often, and not for long', () => {
    const gate = gateWith({ perIp: 1000, perSubnet: 1000 })
    for (let i = 0; i < 64; i++) arrive(gate, '11.0.0.1')
    expect(enter(gate, '11.0.0.1')).toBe('too-fast')
    expect(enter(gate, '11.0.0.2')).toBe('in')
    expect(enter(gate, '11.0.0.1', 100)).toBe('in')
  })

  it('is full when it is full, whoever comes', () => {
    const gate = gateWith({ connections: 1 })
    arrive(gate, '11.0.0.1')
    expect(enter(gate, '12.0.0.1')).toBe('connections')
  })

  it('takes no newcomers when memory runs out', () => {
    const gate = gateWith({ memoryBytes: 1_000 })
    expect(gate.enter(placeOfIp('11.0.0.1'), 1_001, 0)).toBe('memory')
  })

  it('takes nobody without an address', () => {
    expect(gateWith().enter(undefined, 0, 0)).toBe('no-ip')
  })

  it('never counts wrong, in whatever order guests settle and leave, however often', () => {
    const steps = fc.array(
      fc.record({ guest: fc.nat(9), what: fc.constantFrom('enter', 'settle', 'leave') })
    )
    fc.assert(
      fc.property(steps, (all) => {
        const gate = gateWith()
        const guests = new Map<number, Visit>()
        const settled = new Set<number>()
        for (const { guest, what } of all) {
          const visit = guests.get(guest)
          if (what === 'enter' && visit === undefined) {
            const entered = gate.enter(placeOfIp(`11.0.${guest}.1`), 0, 1e9)
            if (typeof entered !== 'string') guests.set(guest, entered)
          } else if (what === 'settle') {
            visit?.settle()
            if (visit !== undefined) settled.add(guest)
          } else if (what === 'leave') {
            visit?.leave()
            visit?.leave() // once more does no harm
            guests.delete(guest)
            settled.delete(guest)
          }
          expect(gate.connections).toBe(guests.size)
          expect(gate.handshakes).toBe(guests.size - settled.size)
        }
      })
    )
  })
})
