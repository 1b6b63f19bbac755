import type { Pair } from './pairs.ts'
import { homeKinds } from './homes.ts'

/** Which pairs are worth a run. */

/** Each rung of the ladder, where it works and where it cannot. */
export const usualPairs: readonly Pair[] = [
  ['public', 'public'],
  ['public', 'cone'],
  ['public', 'symmetric'],
  ['upnp', 'cone'],
  ['upnp', 'symmetric'],
  ['igd1', 'symmetric'],
  ['pmp', 'symmetric'],
  ['cone', 'cone'],
  ['cone', 'eim'],
  ['eim', 'eim'],
  ['full-cone', 'cone'],
  ['cgnat', 'cone'],
  ['cgnat', 'cgnat'],
  ['firewall', 'cone'],
  ['firewall', 'firewall'],
  ['reset', 'cone'],
  ['ipv6-firewall', 'ipv6-firewall'],
  ['cone', 'symmetric'],
  ['cgnat-symmetric', 'cone'],
  ['symmetric', 'symmetric']
]

/** One of each rung, for a machine that has three minutes. */
export const quickPairs: readonly Pair[] = [
  ['public', 'symmetric'],
  ['cone', 'cone'],
  ['cgnat', 'eim'],
  ['upnp', 'symmetric'],
  ['cone', 'symmetric']
]

export const allPairs: readonly Pair[] = homeKinds.flatMap((a, index) =>
  homeKinds.slice(index).map((b): Pair => [a, b])
)
