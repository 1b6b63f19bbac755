import { describe, expect, it } from 'vitest'
import { judgeReach, type ReachFacts } from '../../../peer/nat/reachability.ts'

const address = '/ip4/11.0.0.7/tcp/4001'
const nothing: ReachFacts = {
  reached: null,
  claimed: null,
  isRefused: false,
  mapping: 'unknown',
  punched: 0,
  missed: 0,
  relays: [],
  listening: 'beyond',
  forward: { port: 4001, host: '192.168.1.2' }
}
const one = ['12D3relay']
const two = ['12D3relay', '12D3other']
const forwarding =
  /open TCP 4001 on your router and forward it to 192\.168\.1\.2, or run 'starling relay'/
const firewall = /open TCP 4001 in your firewall/

describe('the verdict about reachability', () => {
  it.each<[string, Partial<ReachFacts>, string, RegExp, RegExp | null]>([
    [
      'others reached us',
      { reached: address },
      'public',
      /others have reached us at .*11\.0/,
      null
    ],
    [
      'that counts more than any router',
      { reached: address, mapping: 'changing' },
      'public',
      /./,
      null
    ],
    [
      'a public address of our own, untried',
      { claimed: address },
      'public',
      /nobody has tried/,
      null
    ],
    [
      'one that was tried in vain',
      { claimed: address, isRefused: true },
      'isolated',
      /a firewall/,
      forwarding
    ],
    ['a firewall and nothing else', { mapping: 'none' }, 'isolated', /a firewall/, firewall],
    ['a router, no helper', { mapping: 'stable' }, 'isolated', /our router keeps/, forwarding],
    [
      'a bad router, no helper',
      { mapping: 'changing' },
      'isolated',
      /our router keeps/,
      forwarding
    ],
    [
      'a good router, a helper',
      { mapping: 'stable', relays: one },
      'punchable',
      /through a helper/,
      null
    ],
    [
      'a firewall, a helper',
      { mapping: 'none', relays: one },
      'punchable',
      /connect directly/,
      null
    ],
    [
      'a bad router, helpers',
      { mapping: 'changing', relays: two },
      'relay-only',
      /2 helpers alone/,
      forwarding
    ],
    ['a router unknown, a helper', { relays: one }, 'unknown', /second helper/, null],
    [
      'the same, known to be shut',
      { relays: one, isRefused: true },
      'unknown',
      /first that tries/,
      forwarding
    ],
    [
      'the same, tried in vain',
      { relays: one, missed: 2 },
      'relay-only',
      /tried with 2 peers/,
      forwarding
    ],
    [
      'a good router, tried in vain',
      { mapping: 'stable', relays: one, missed: 1 },
      'punchable',
      /./,
      null
    ],
    [
      'a bad router that was punched',
      { mapping: 'changing', relays: one, punched: 1 },
      'punchable',
      /directly/,
      null
    ],
    ['punched, and the helper gone', { punched: 1 }, 'punchable', /through our router/, forwarding],
    ['loopback alone', { listening: 'loopback' }, 'isolated', /this machine only/, /0\.0\.0\.0/],
    [
      'loopback and a helper',
      { listening: 'loopback', relays: one },
      'relay-only',
      /alone/,
      /0\.0\.0\.0/
    ],
    ['nowhere', { listening: 'nowhere' }, 'isolated', /nowhere/, /0\.0\.0\.0/],
    ['nothing but a local network', {}, 'unknown', /nobody outside/, /--join/],
    [
      'no port to forward',
      { mapping: 'stable', forward: null },
      'isolated',
      /router/,
      /^run 'starling relay'/
    ]
  ])('%s', (_, facts, reachability, explanation, remedy) => {
    const verdict = judgeReach({ ...nothing, ...facts })
    expect(verdict.reachability).toBe(reachability)
    expect(verdict.explanation).toMatch(explanation)
    if (remedy === null) expect(verdict.remedy).toBeNull()
    else expect(verdict.remedy).toMatch(remedy)
  })
})
