import { describe, expect, it } from 'vitest'
import { reachFindings } from '../../src/cli/doctor/network.ts'
import { routerText } from '../../src/cli/router.ts'
import type { RouterFound } from '../../peer/nat/mapping/gateway.ts'

const router: RouterFound = { host: '192.168.1.1', language: 'UPnP', ports: [], problem: null }

describe('what is said of a router', () => {
  it.each<[Partial<RouterFound>, string]>([
    [{ ports: [4001] }, 'forwards its port 4001 to us (UPnP, at 192.168.1.1)'],
    [
      { ports: [4001, 4002], language: 'NAT-PMP', problem: 'it is silent' },
      'forwards its ports 4001 and 4002 to us (NAT-PMP, at 192.168.1.1), for now: it is silent'
    ],
    [{}, 'answers (UPnP, at 192.168.1.1), but forwards nothing yet'],
    [{ problem: 'it refuses' }, 'answers (UPnP, at 192.168.1.1), but forwards nothing: it refuses']
  ])('tells forwarding from answering: %j', (change, text) => {
    expect(routerText({ ...router, ...change })).toBe(text)
  })

  it('is good news to doctor only when a port is forwarded', () => {
    const verdictOf = (gateways: readonly RouterFound[] | null): string | undefined =>
      reachFindings({
        reachability: 'unknown',
        reach: {
          explanation: '',
          remedy: null,
          verified: [],
          mapping: 'unknown',
          external: [],
          relays: [],
          gateways,
          joinNote: null
        }
      }).find(({ name }) => name === 'router')?.verdict
    expect(verdictOf(null)).toBe('absent')
    expect(verdictOf([])).toBe('absent')
    expect(verdictOf([router])).toBe('absent')
    expect(verdictOf([router, { ...router, ports: [4001] }])).toBe('ok')
  })
})
