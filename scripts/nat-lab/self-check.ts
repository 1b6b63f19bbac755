import { setTimeout as pause } from 'node:timers/promises'
import { Home, publicMachine, type Machine } from './home.ts'
import { homeKinds, type HomeKind } from './homes.ts'
import { Internet } from './internet.ts'
import type { Lab } from './lab.ts'
import { Prober } from './prober.ts'
import type { Outcome, Target } from './probe.ts'

/**
 * Do the routers do what their kinds say? Asked with plain sockets: a home looks at itself through
 * two servers on the internet, and strangers knock at what they saw.
 */

/** What a kind is seen to do. Ports: as chosen inside, another constant one, one per server. */
interface Nature {
  readonly tcpPort: 'same' | 'constant' | 'varies'
  readonly udpPort: 'same' | 'constant' | 'varies'
  /** A stranger reaches a TCP port that is listened on. */
  readonly tcpOpen: boolean
  /** A stranger's datagram comes in at a mapped port. */
  readonly udpOpen: boolean
  /** A gateway answers a search for one (UPnP). */
  readonly answersSearch: boolean
  /** After the home has asked for it (NAT-PMP), a stranger reaches the TCP port. */
  readonly opensPorts: boolean
  /** A stranger's connection is answered by a reset, not by silence. */
  readonly answersStrangers: boolean
}

const cone: Nature = {
  tcpPort: 'same',
  udpPort: 'same',
  tcpOpen: false,
  udpOpen: false,
  answersSearch: false,
  opensPorts: false,
  answersStrangers: false
}
const symmetric: Nature = { ...cone, tcpPort: 'varies', udpPort: 'varies' }

const natures: Readonly<Record<HomeKind, Nature>> = {
  public: { ...cone, tcpOpen: true, udpOpen: true, answersStrangers: true },
  'full-cone': { ...cone, udpOpen: true },
  cone,
  eim: { ...cone, tcpPort: 'constant', udpPort: 'constant' },
  symmetric,
  reset: { ...cone, answersStrangers: true },
  cgnat: cone,
  'cgnat-symmetric': symmetric,
  upnp: { ...cone, answersSearch: true, opensPorts: true },
  igd1: { ...cone, answersSearch: true },
  pmp: { ...cone, opensPorts: true },
  firewall: cone,
  'ipv6-firewall': symmetric
}

export interface Finding {
  readonly what: string
  readonly expected: unknown
  readonly found: unknown
}

const servicePort = 7_000
const homePort = 5_002
const closedPort = 9

export async function selfCheck(
  lab: Lab,
  onProgress: (line: string) => void
): Promise<readonly Finding[]> {
  const internet = new Internet(lab)
  const machines = [
    await publicMachine(internet, 'helper1', 1),
    await publicMachine(internet, 'helper2', 2)
  ] as const
  const probers = machines.map(({ host }) => new Prober(host)) as [Prober, Prober]
  await Promise.all(probers.map((prober) => prober.ask('serve', { port: servicePort })))

  const findings: Finding[] = []
  const note = (what: string, expected: unknown, found: unknown): void => {
    findings.push({ what, expected, found })
    const verdict = same(expected, found) ? 'ok  ' : 'FAIL'
    onProgress(`${verdict} ${what}: ${JSON.stringify(found)}`)
  }
  const check = async (kind: HomeKind): Promise<void> => {
    const home = await Home.build(internet, kind, kind)
    const prober = new Prober(home.host)
    note(kind, natures[kind], await natureOf(home, prober, machines, probers))
    if (kind === 'cone') await checkActions(home, prober, note)
    if (kind === 'upnp') await checkUpnpAfterReboot(home, prober, note)
    if (kind === 'ipv6-firewall') await checkIpv6(home, prober, machines, probers, note)
    prober.stop()
  }
  await Promise.all(homeKinds.map(check))
  await checkPunches(internet, note)
  await checkDelay(internet, note)
  return findings.filter(({ expected, found }) => !same(expected, found))
}

async function natureOf(
  home: Home,
  prober: Prober,
  machines: readonly Machine[],
  [, stranger]: readonly [Prober, Prober]
): Promise<Nature> {
  await prober.ask('serve', { port: homePort })
  const ports = async (protocol: 'tcp' | 'udp', from: number): Promise<Nature['tcpPort']> => {
    const seen: (Target | null)[] = []
    for (const { addresses } of machines) {
      seen.push(await prober.ask('observe', { protocol, from, to: server(addresses.ip4) }))
    }
    const [one, other] = seen
    if (one?.port === undefined || one.port !== other?.port) return 'varies'
    return one.port === from ? 'same' : 'constant'
  }
  // Only helper1 was talked to from this port, so helper2 is a stranger to it.
  const talk = {
    protocol: 'udp',
    from: homePort + 2,
    to: server(machines[0]?.addresses.ip4)
  } as const
  const mapped = await prober.ask('observe', talk)
  const udpOpen =
    mapped !== null && (await stranger.ask('reach', { protocol: 'udp', to: mapped })) === 'answer'
  const knock = (port: number): Promise<Outcome> =>
    stranger.ask('reach', { protocol: 'tcp', to: { host: publicAddressOf(home), port } })
  const tcpOpen = (await knock(homePort)) === 'answer'
  const answersStrangers = (await knock(closedPort)) === 'refused'
  const opensPorts =
    (await prober.ask('openPort', { gateway: '192.168.1.1', port: homePort })) &&
    (await knock(homePort)) === 'answer'
  const answersSearch = await prober.ask('search', {})
  return {
    tcpPort: await ports('tcp', homePort + 1),
    udpPort: await ports('udp', homePort + 1),
    tcpOpen,
    udpOpen,
    answersSearch,
    opensPorts,
    answersStrangers
  }
}

async function checkActions(
  home: Home,
  prober: Prober,
  note: (what: string, expected: unknown, found: unknown) => void
): Promise<void> {
  const ask = { protocol: 'tcp', from: 0, to: server('11.0.0.1') } as const
  const before = home.outside
  home.move()
  const moved = await prober.ask('observe', ask)
  note(
    'a moved home is seen at its new address',
    [true, home.outside],
    [home.outside !== before, moved?.host]
  )
  const reboot = home.reboot(500)
  note('nothing goes through a router that is off', null, await prober.ask('observe', ask))
  await reboot
  const back = await prober.ask('observe', ask)
  note('it does again when it is back', home.outside, back?.host)
}

async function checkUpnpAfterReboot(
  home: Home,
  prober: Prober,
  note: (what: string, expected: unknown, found: unknown) => void
): Promise<void> {
  await home.reboot(0)
  await pause(1_000) // for its UPnP daemon to start
  const opens = await prober.ask('openPort', { gateway: '192.168.1.1', port: homePort })
  note('a upnp router opens ports after a reboot, too', true, opens)
}

async function checkIpv6(
  home: Home,
  prober: Prober,
  [helper]: readonly Machine[],
  [, stranger]: readonly [Prober, Prober],
  note: (what: string, expected: unknown, found: unknown) => void
): Promise<void> {
  const host = home.addresses.ip6
  const to = server(helper?.addresses.ip6)
  const seen = await prober.ask('observe', { protocol: 'tcp', from: homePort + 3, to })
  note('IPv6 is not translated', { host, port: homePort + 3 }, seen)
  const knock = { protocol: 'tcp', to: { host: host ?? '', port: homePort } } as const
  note('and lets nobody in unasked', 'silence', await stranger.ask('reach', knock))
}

/** Simultaneous TCP connections between routers of each kind, to what helper1 saw. */
async function checkPunches(
  internet: Internet,
  note: (what: string, expected: unknown, found: unknown) => void
): Promise<void> {
  const cases = [
    ['cone', 'cone', true],
    ['cone', 'eim', true],
    ['cgnat', 'firewall', true],
    ['cone', 'symmetric', false]
  ] as const
  for (const [index, [a, b, expected]] of cases.entries()) {
    const homes = await Promise.all([
      Home.build(internet, `${index}a`, a, { delayMs: 0 }),
      Home.build(internet, `${index}b`, b, { delayMs: 0 })
    ])
    const probers = homes.map(({ host }) => new Prober(host))
    const seen = await Promise.all(
      probers.map((each) =>
        each.ask('observe', { protocol: 'tcp', from: homePort, to: server('11.0.0.1') })
      )
    )
    const punches = probers.map((prober, side) => {
      const to = seen[1 - side] ?? { host: '', port: 0 }
      return prober.ask('punch', { from: homePort, to, tries: 4 })
    })
    const [one, other] = await Promise.all(punches)
    note(`TCP punch ${a} × ${b}`, expected, one === true && other === true)
    probers.forEach((prober) => prober.stop())
  }
}

async function checkDelay(
  internet: Internet,
  note: (what: string, expected: unknown, found: unknown) => void
): Promise<void> {
  const far = await Home.build(internet, 'far', 'cone', { delayMs: 40 })
  const prober = new Prober(far.host)
  const ask = { protocol: 'udp', from: homePort, to: server('11.0.0.1') } as const
  let roundTripMs = Infinity
  for (let attempt = 0; attempt < 5; attempt++) {
    const startMs = performance.now()
    await prober.ask('observe', ask)
    roundTripMs = Math.min(roundTripMs, performance.now() - startMs)
  }
  const isRight = roundTripMs >= 80 && roundTripMs < 100
  note(`a line of 40 ms answers after 80 to 100 (${roundTripMs.toFixed(0)})`, true, isRight)
  prober.stop()
}

function server(host = ''): Target {
  return { host, port: servicePort }
}

function publicAddressOf({ kind, addresses, outside }: Home): string {
  return kind === 'firewall' ? (addresses.ip4 ?? outside) : outside
}

function same(expected: unknown, found: unknown): boolean {
  return JSON.stringify(expected) === JSON.stringify(found)
}
