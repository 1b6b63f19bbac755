/**
 * What routers do, as nftables rules, one entry a kind. A router has two interfaces, `wan` and
 * `lan`. The words are those of RFC 4787 (UDP) and RFC 5382 (TCP): mapping is which outside port
 * a flow gets, filtering is which packets from outside are let in.
 */

export interface RouterRules {
  readonly about: string
  /** As `nft -f` reads them. */
  readonly rules: string
  /** How a daemon opens ports for who asks on the LAN; none: there is no daemon. */
  readonly opens?: readonly ('igd1' | 'igd2' | 'nat-pmp')[]
}

/** Where miniupnpd puts its rules. */
const openable = `
table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan" accept
    jump miniupnpd
  }
  chain miniupnpd { }
  chain prerouting {
    type nat hook prerouting priority -100;
    jump prerouting_miniupnpd
  }
  chain postrouting {
    type nat hook postrouting priority 99;
    jump postrouting_miniupnpd
  }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
}`

/** The router itself takes nothing from outside: no answers, no resets. */
const silent = `
table inet own {
  chain input {
    type filter hook input priority 0;
    iifname "wan" icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
    iifname "wan" ct state established,related accept
    iifname "wan" drop
  }
}`

/** From outside comes what belongs to a flow from inside; `more` is let in, too. */
const stateful = (more = ''): string => `
table inet filter {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    iifname "lan" accept
    icmpv6 type { destination-unreachable, packet-too-big, time-exceeded } accept
    ${more}
  }
}`

/** Everything that leaves carries the router's address. */
const masquerade = (rule: string): string => `
table ip nat {
  chain post {
    type nat hook postrouting priority 100;
    ${rule}
  }
}`

const keepingPorts = masquerade('oifname "wan" masquerade')

export const routerRules = {
  cone: {
    about:
      'keeps the port where it is free, whoever is talked to; lets in only the address and port ' +
      'that were talked to (Linux, most home routers), TCP and UDP alike',
    rules: keepingPorts + stateful() + silent
  },
  'full-cone': {
    about:
      'as cone, but UDP to a mapped port comes in from anybody for five minutes after the last ' +
      'packet out; TCP filters as cone does, as the routers do that are sold under this name',
    rules:
      `
table ip fullcone {
  map mapped {
    type inet_service : ipv4_addr . inet_service; flags dynamic,timeout; size 65535; timeout 5m;
  }
  chain note {
    type filter hook postrouting priority 90;
    oifname "wan" udp sport 1024-65535 update @mapped { udp sport : ip saddr . udp sport }
  }
  chain pre {
    type nat hook prerouting priority -100;
    iifname "wan" meta l4proto udp dnat ip to udp dport map @mapped
  }
}` +
      keepingPorts +
      stateful('ct status dnat accept') +
      silent
  },
  eim: {
    about:
      'gives another port than the one inside, but the same one whoever is talked to ' +
      '(endpoint-independent mapping); filters as cone does',
    rules:
      masquerade(`
    oifname "wan" meta l4proto tcp masquerade to :jhash tcp sport mod 20000 seed 0x5bd1 offset 40000
    oifname "wan" meta l4proto udp masquerade to :jhash udp sport mod 20000 seed 0x5bd1 offset 40000
    oifname "wan" masquerade`) +
      stateful() +
      silent
  },
  symmetric: {
    about:
      'another, random port for every flow; filters as cone does (many carriers, some offices)',
    rules: masquerade('oifname "wan" masquerade random,fully-random') + stateful() + silent
  },
  reset: {
    about:
      'as cone, but answers what it does not let in (TCP: a reset), and so kills a punch whose ' +
      'first packet arrives before ours has left',
    rules: keepingPorts + stateful()
  },
  upnp: {
    about: 'as cone, with miniupnpd: who asks on the LAN gets a port opened (UPnP IGD, NAT-PMP)',
    rules: keepingPorts + openable + silent,
    opens: ['igd2', 'nat-pmp']
  },
  igd1: {
    about: 'as upnp, but as most older routers are: UPnP InternetGatewayDevice:1 alone',
    rules: keepingPorts + openable + silent,
    opens: ['igd1']
  },
  pmp: {
    about: 'as upnp, but asked by NAT-PMP alone',
    rules: keepingPorts + openable + silent,
    opens: ['nat-pmp']
  },
  firewall: {
    about: 'no translation: lets in only what belongs to a flow from inside',
    rules: stateful() + silent
  },
  'symmetric-ipv4': {
    about: 'IPv6: as firewall; IPv4: as symmetric',
    rules: masquerade('oifname "wan" masquerade random,fully-random') + stateful() + silent
  }
} as const satisfies Record<string, RouterRules>

export type RouterKind = keyof typeof routerRules
