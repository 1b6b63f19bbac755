import { describe, expect, it } from 'vitest'
import { Witnesses } from '../../../peer/nat/witnesses.ts'
import { witnessedAddressesMax } from '../../../src/core/limits.ts'

const ours = '/ip4/11.0.0.7/tcp/4001'

function heard(...words: [peer: string, isReached: boolean][]): Witnesses {
  const witnesses = new Witnesses()
  for (const [peer, isReached] of words) witnesses.note(ours, peer, isReached, 0)
  return witnesses
}

describe('what others say about an address of ours', () => {
  it.each<[string, [string, boolean][], 'reached' | 'unreachable']>([
    ['one reached it', [['a', true]], 'reached'],
    ['one could not', [['a', false]], 'unreachable'],
    [
      'one of two could',
      [
        ['a', true],
        ['b', false]
      ],
      'reached'
    ],
    [
      'one of three could',
      [
        ['a', true],
        ['b', false],
        ['c', false]
      ],
      'unreachable'
    ],
    [
      'the same peer counts once, and its last word',
      [
        ['a', false],
        ['a', true]
      ],
      'reached'
    ],
    [
      'a liar says the same ten times',
      [...Array<[string, boolean]>(10).fill(['liar', false]), ['b', true]],
      'reached'
    ]
  ])('%s', (_, words, outcome) => {
    const witnesses = heard(...words)
    expect(witnesses.reached(0)).toEqual(outcome === 'reached' ? [ours] : [])
    expect(witnesses.unreachable(0)).toEqual(outcome === 'unreachable' ? [ours] : [])
  })

  it('is forgotten after a while', () => {
    const witnesses = heard(['a', true])
    expect(witnesses.reached(10 * 60_000)).toEqual([ours])
    expect(witnesses.reached(13 * 60_000)).toEqual([])
    expect(witnesses.unreachable(13 * 60_000)).toEqual([])
  })

  it('is bounded, whatever addresses they see us at', () => {
    const witnesses = new Witnesses()
    for (let port = 1; port <= 1_000; port++) {
      witnesses.note(`/ip4/11.0.0.7/tcp/${port}`, 'liar', true, 0)
    }
    expect(witnesses.reached(0).length).toBe(witnessedAddressesMax)
  })
})
