import type { PeerAddress } from '../../../peer/network/addresses.ts'
import { probeDefaults, probeReach, type Probe } from '../../../peer/nat/probe.ts'
import { loadWebRtc } from '../../../peer/nat/webrtc-library.ts'
import type { Status } from '../../../peer/status.ts'
import { routerText } from '../router.ts'
import type { Finding } from './finding.ts'

type Reach = Pick<Status, 'reachability' | 'reach'>

/** How others reach this machine, as a running daemon knows it. */
export function reachFindings({ reachability, reach }: Reach): Finding[] {
  const isFine = reachability === 'public' || reachability === 'punchable'
  return [
    {
      name: 'reachability',
      verdict: isFine ? 'ok' : reachability === 'unknown' ? 'absent' : 'warning',
      what: `${reachability}: ${reach.explanation}`,
      ...(reach.remedy === null ? {} : { remedy: reach.remedy })
    },
    { name: 'nat', verdict: 'ok', what: mappings[reach.mapping] },
    routerFinding(reach.gateways)
  ]
}

const mappings = {
  unknown: 'what a router makes of our connections is unknown: too few public peers saw us',
  none: 'no router in between: others see an address of this machine',
  stable: 'a router that gives us one port for all: direct connections can be made through it',
  changing: 'a router that gives every connection a port of its own (symmetric)'
} as const

function routerFinding(gateways: Reach['reach']['gateways']): Finding {
  const name = 'router'
  if (gateways === null) return { name, verdict: 'absent', what: 'is not looked for' }
  if (gateways.length === 0) {
    return { name, verdict: 'absent', what: 'none that opens ports when asked (UPnP, NAT-PMP)' }
  }
  const isForwarding = gateways.some(({ ports }) => ports.length > 0)
  const what = gateways.map(routerText).join('; ')
  return { name, verdict: isForwarding ? 'ok' : 'absent', what }
}

/** The same, found out here and now, with the help of those whom the user names. */
export async function examineNetwork(
  helpers: readonly PeerAddress[],
  listen: readonly string[]
): Promise<Finding[]> {
  return probeFindings(await probeReach({ ...probeDefaults, helpers, listen }))
}

function probeFindings({ reach, addresses, helpers, stun }: Probe): Finding[] {
  return [
    ...helpers.map(({ address, failure }): Finding =>
      failure === null
        ? { name: 'helper', verdict: 'ok', what: `${address} answers` }
        : {
            name: 'helper',
            verdict: 'warning',
            what: `${address} cannot be reached: ${failure}`,
            remedy: 'is it up, is its address right, and does a firewall let us out?'
          }
    ),
    { name: 'addresses', verdict: 'ok', what: addresses.join(', ') || 'none' },
    ...reachFindings({ reachability: reach.reachability, reach }),
    ...stun.map(({ server, seen }): Finding => ({
      name: 'stun',
      verdict: seen === null ? 'absent' : 'ok',
      what: seen === null ? `no answer from ${server}` : `${server} sees us at ${seen} (UDP)`
    }))
  ]
}

/** WebRTC is an optional package. */
export async function webrtcFinding(): Promise<Finding> {
  const name = 'webrtc'
  const loaded = await loadWebRtc()
  switch (loaded.kind) {
    case 'loaded':
      return { name, verdict: 'ok', what: "works; 'starling up --webrtc' makes use of it" }
    case 'absent':
      return { name, verdict: 'absent', what: `${loaded.what}: connections are made over TCP` }
    case 'broken':
      return {
        name,
        verdict: 'warning',
        what: loaded.what,
        remedy: 'install @libp2p/webrtc again, for this machine; without it, TCP still works'
      }
  }
}
