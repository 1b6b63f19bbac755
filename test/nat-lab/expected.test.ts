import { describe, expect, it } from 'vitest'
import { expectedOf, isAsGood, isStorm } from '../../scripts/nat-lab/expected.ts'
import { homeKinds } from '../../scripts/nat-lab/homes.ts'
import { allPairs, quickPairs, usualPairs } from '../../scripts/nat-lab/matrix.ts'

describe('what is possible between two homes', () => {
  it('does not depend on which one is named first', () => {
    for (const [a, b] of allPairs) expect(expectedOf(a, b)).toBe(expectedOf(b, a))
  })

  it('is a dial wherever one of the two can be dialed', () => {
    for (const kind of homeKinds) {
      expect(expectedOf('public', kind)).toBe('direct')
      expect(expectedOf('upnp', kind)).toBe('direct')
      expect(expectedOf('igd1', kind)).toBe('direct')
      expect(expectedOf('pmp', kind)).toBe('direct')
    }
  })

  it('is a punch where both keep their ports, and a relay where one does not', () => {
    expect(expectedOf('cone', 'cgnat')).toBe('punched')
    expect(expectedOf('eim', 'firewall')).toBe('punched')
    expect(expectedOf('cone', 'symmetric')).toBe('relayed')
    expect(expectedOf('symmetric', 'symmetric')).toBe('relayed')
    expect(expectedOf('full-cone', 'symmetric')).toBe('relayed')
  })

  it('over UDP, a full cone and anybody at all', () => {
    expect(expectedOf('full-cone', 'symmetric', true)).toBe('punched')
    expect(expectedOf('symmetric', 'full-cone', true)).toBe('punched')
    expect(expectedOf('cone', 'symmetric', true)).toBe('relayed')
  })

  it('is a punch over IPv6, where firewalls translate nothing', () => {
    expect(expectedOf('ipv6-firewall', 'ipv6-firewall')).toBe('punched')
    expect(expectedOf('ipv6-firewall', 'cone')).toBe('relayed')
  })
})

describe('a try', () => {
  it('may come to more than was expected, and not to less', () => {
    expect(isAsGood('punched', 'relayed')).toBe(true)
    expect(isAsGood('direct', 'punched')).toBe(true)
    expect(isAsGood('punched', 'direct')).toBe(true)
    expect(isAsGood('relayed', 'punched')).toBe(false)
    expect(isAsGood('none', 'relayed')).toBe(false)
  })
})

describe('the usual pairs', () => {
  it('hold every kind of home', () => {
    expect(new Set(usualPairs.flat())).toEqual(new Set(homeKinds))
  })

  it('and the quick ones have a dial, a punch and a relay', () => {
    const outcomes = quickPairs.map(([a, b]) => expectedOf(a, b))
    expect(new Set(outcomes)).toEqual(new Set(['direct', 'punched', 'relayed']))
  })
})

describe('a storm of dials', () => {
  it('is more than a daemon may make at once and a minute', () => {
    expect([isStorm(120, 0), isStorm(180, 0.5)]).toEqual([false, false])
    expect([isStorm(121, 0), isStorm(181, 0.5)]).toEqual([true, true])
  })
})
