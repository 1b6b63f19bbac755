import type { RouterKind } from './routers.ts'

/** What homes there are: which routers stand between them and the internet. */

export interface HomePlan {
  readonly about: string
  /** From the internet inwards; none: the home itself has the public address. */
  readonly routers: readonly RouterKind[]
  /** Addresses of the home itself are public, IPv4 or IPv6, and routed to it. */
  readonly routed: readonly ('ip4' | 'ip6')[]
}

export const homePlans = {
  public: {
    about: 'a public address of its own, nothing in between',
    routers: [],
    routed: ['ip4']
  },
  'full-cone': { about: 'one full-cone router', routers: ['full-cone'], routed: [] },
  cone: { about: 'one cone router, the common case', routers: ['cone'], routed: [] },
  eim: { about: 'one router that maps to another port', routers: ['eim'], routed: [] },
  symmetric: { about: 'one symmetric router', routers: ['symmetric'], routed: [] },
  reset: { about: 'one cone router that answers strangers', routers: ['reset'], routed: [] },
  cgnat: {
    about: 'a cone router at home behind a cone of the carrier (100.64.0.0/10 between them)',
    routers: ['cone', 'cone'],
    routed: []
  },
  'cgnat-symmetric': {
    about: 'a cone router at home behind a symmetric one of the carrier',
    routers: ['symmetric', 'cone'],
    routed: []
  },
  upnp: { about: 'one cone router that opens ports by UPnP', routers: ['upnp'], routed: [] },
  igd1: { about: 'one cone router that opens ports by older UPnP', routers: ['igd1'], routed: [] },
  pmp: { about: 'one cone router that opens ports by NAT-PMP', routers: ['pmp'], routed: [] },
  firewall: {
    about: 'a public address behind a firewall that lets in nothing unasked',
    routers: ['firewall'],
    routed: ['ip4']
  },
  'ipv6-firewall': {
    about: 'a global IPv6 address behind a firewall; IPv4 behind a symmetric router',
    routers: ['symmetric-ipv4'],
    routed: ['ip6']
  }
} as const satisfies Record<string, HomePlan>

export type HomeKind = keyof typeof homePlans

export const homeKinds = Object.keys(homePlans) as HomeKind[]
