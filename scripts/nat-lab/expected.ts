import { dialsPerMinuteMax } from '../../src/core/limits.ts'
import type { HomeKind } from './homes.ts'

/** What is possible between two homes, and so what a try has to come to. */

export type Connected = 'direct' | 'punched' | 'relayed' | 'none'

/** How others get at a home over IPv4 TCP. */
type Front =
  | 'open' // they dial it
  | 'meets' // when both dial at once
  | 'changing' // nobody knows which port to dial

const fronts: Readonly<Record<HomeKind, Front>> = {
  public: 'open',
  upnp: 'open',
  igd1: 'open',
  pmp: 'open',
  'full-cone': 'meets',
  cone: 'meets',
  eim: 'meets',
  reset: 'meets',
  cgnat: 'meets',
  firewall: 'meets',
  symmetric: 'changing',
  'cgnat-symmetric': 'changing',
  'ipv6-firewall': 'changing'
}

/**
 * By measurements with plain sockets (`--self-check`), and what RFC 5128 says of each.
 * @param webrtc - over UDP, too, where a full cone lets anybody in who knows the port
 */
export function expectedOf(a: HomeKind, b: HomeKind, webrtc = false): Connected {
  if (fronts[a] === 'open' || fronts[b] === 'open') return 'direct'
  if (webrtc && (a === 'full-cone' || b === 'full-cone')) return 'punched'
  if (a === 'ipv6-firewall' && b === 'ipv6-firewall') return 'punched'
  // Each one's first packet is answered by a reset before the other's has left.
  if (a === 'reset' && b === 'reset') return 'relayed'
  return fronts[a] === 'meets' && fronts[b] === 'meets' ? 'punched' : 'relayed'
}

/** Whether whoever lives there reaches peers in other homes by relays alone, and should say so. */
export function isRelayOnly(kind: HomeKind): boolean {
  return fronts[kind] === 'changing' && kind !== 'ipv6-firewall'
}

const ranks: Readonly<Record<Connected, number>> = { none: 0, relayed: 1, punched: 2, direct: 2 }

export function isAsGood(connected: Connected, expected: Connected): boolean {
  return ranks[connected] >= ranks[expected]
}

/** More than a daemon allows itself: all that it may make at once, and what time adds. */
export function isStorm(dials: number, minutes: number): boolean {
  return dials > dialsPerMinuteMax * (1 + minutes)
}
