import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { StarlingError } from '../../src/core/errors.ts'
import { homePlans, type HomeKind, type HomePlan } from './homes.ts'
import type { AccessLine, Addresses, Internet } from './internet.ts'
import { cable, type Namespace } from './lab.ts'
import { routerRules, type RouterKind, type RouterRules } from './routers.ts'

/** Everybody's LAN looks alike, so that private addresses are as ambiguous as they are outside. */
const lan = { network: '192.168.1.0/24', router: '192.168.1.1', home: '192.168.1.2' } as const
const carrierNet = { carrier: '100.64.0.1', home: '100.64.0.2' } as const

/** A machine on the internet, such as a helper. */
export interface Machine {
  readonly host: Namespace
  readonly addresses: Addresses
}

/** @param number - 1 to 99; the last part of its addresses */
export async function publicMachine(
  internet: Internet,
  name: string,
  number: number,
  line: AccessLine = { delayMs: 0 }
): Promise<Machine> {
  const host = internet.lab.namespace(name)
  const addresses = { ip4: `11.0.0.${number}`, ip6: `2a0b:11::${number.toString(16)}` }
  await internet.attach(host, 'eth0', addresses, line)
  return { host, addresses }
}

/** One router: forgets all it knows when it is rebooted, because it is then built anew. */
class Router {
  readonly #name: string
  readonly #rules: RouterRules
  readonly #internet: Internet
  readonly #wire: (router: Namespace) => Promise<Namespace | undefined>
  #namespace: Namespace | undefined
  #line: Namespace | undefined

  constructor(
    internet: Internet,
    name: string,
    kind: RouterKind,
    wire: (router: Namespace) => Promise<Namespace | undefined>
  ) {
    this.#internet = internet
    this.#name = name
    this.#rules = routerRules[kind]
    this.#wire = wire
  }

  get opensPorts(): boolean {
    return this.#rules.opens !== undefined
  }

  get namespace(): Namespace {
    if (this.#namespace === undefined) throw new Error(`router ${this.#name} is off`)
    return this.#namespace
  }

  async start(): Promise<void> {
    const namespace = this.#internet.lab.namespace(this.#name)
    this.#namespace = namespace
    namespace.run('sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1')
    namespace.nft(this.#rules.rules)
    this.#line = await this.#wire(namespace)
    if (this.#rules.opens !== undefined) this.#startOpener(namespace, this.#rules.opens)
  }

  stop(): void {
    this.namespace.remove()
    this.#line?.remove()
    this.#namespace = undefined
  }

  #startOpener(namespace: Namespace, opens: NonNullable<RouterRules['opens']>): void {
    const file = join(this.#internet.lab.directory, `${this.#name}.conf`)
    const yes = (has: boolean): string => (has ? 'yes' : 'no')
    const isOld = opens.includes('igd1')
    writeFileSync(
      file,
      [
        ...['ext_ifname=wan', 'listening_ip=lan', `force_igd_desc_v1=${yes(isOld)}`],
        `enable_natpmp=${yes(opens.includes('nat-pmp'))}`,
        `enable_upnp=${yes(isOld || opens.includes('igd2'))}`,
        ...['secure_mode=yes', 'system_uptime=yes', 'min_lifetime=120', 'max_lifetime=86400'],
        ...['ipv6_disable=yes', 'notify_interval=30'],
        'uuid=8b838e22-ede5-446e-a2d4-118b34559607',
        `lease_file=${file}.leases`,
        ...['upnp_forward_chain=miniupnpd', 'upnp_nat_chain=prerouting_miniupnpd'],
        'upnp_nat_postrouting_chain=postrouting_miniupnpd',
        `allow 1024-65535 ${lan.network} 1024-65535`,
        'deny 0-65535 0.0.0.0/0 0-65535'
      ].join('\n') + '\n'
    )
    // Else it takes the one that was killed a moment ago for alive, and gives way.
    rmSync(`${file}.pid`, { force: true })
    const daemon = namespace.spawn('miniupnpd', ['-d', '-f', file, '-P', `${file}.pid`], {
      stdio: 'ignore'
    })
    daemon.once('error', () => undefined) // whoever needs it finds out that nothing is mapped
  }
}

/** A machine somewhere behind what its kind says. */
export class Home {
  readonly name: string
  readonly kind: HomeKind
  readonly host: Namespace
  readonly #internet: Internet
  readonly #number: number
  readonly #line: AccessLine
  readonly #routers: Router[]
  #moves = 0

  private constructor(internet: Internet, name: string, kind: HomeKind, line: AccessLine) {
    this.#internet = internet
    this.name = name
    this.kind = kind
    this.#line = line
    this.#number = internet.takeNumber()
    this.host = internet.lab.namespace(name)
    this.#routers = this.#plan.routers.map((router, index) => this.#routerAt(index, router))
  }

  static async build(
    internet: Internet,
    name: string,
    kind: HomeKind,
    line: AccessLine = { delayMs: 0 }
  ): Promise<Home> {
    const home = new Home(internet, name, kind, line)
    if (home.#routers.length === 0) {
      await internet.attach(home.host, 'eth0', { ip4: home.outside }, line)
    }
    for (const router of home.#routers) await router.start()
    return home
  }

  /** The public IPv4 address that the world sees. */
  get outside(): string {
    return `11.0.0.${100 + this.#number + 50 * (this.#moves % 2)}`
  }

  /** Its own, as programs in it see them. */
  get addresses(): Addresses {
    const { routed } = this.#plan
    if (this.#routers.length === 0) return { ip4: this.outside }
    return {
      ip4: routed.includes('ip4') ? `11.1.${this.#number}.2` : lan.home,
      ...(routed.includes('ip6') ? { ip6: `2a0b:11:0:${this.#number.toString(16)}::2` } : {})
    }
  }

  /** Its own address is reached from anywhere, where its router lets it be. */
  get isRouted(): boolean {
    return this.#plan.routed.length > 0
  }

  /** Whoever runs there may ask for a port that everybody reaches. */
  get opensPorts(): boolean {
    return this.#routers.some((router) => router.opensPorts)
  }

  /** The router that stands in the home, for looking into it. */
  get router(): Namespace | undefined {
    return this.#routers.at(-1)?.namespace
  }

  /** The router in the home loses its power: nobody is connected, and it knows of no flow after. */
  async reboot(downMs: number): Promise<void> {
    const router = this.#routers.at(-1)
    if (router === undefined) throw this.#cannot('has no router')
    router.stop()
    await pause(downMs)
    await router.start()
  }

  /** Routers forget all flows. Whoever runs at home finds its network gone for a moment. */
  async forget(): Promise<void> {
    for (const router of [...this.#routers].reverse()) router.stop()
    for (const router of this.#routers) await router.start()
  }

  /** The provider gives another public address. */
  move(): void {
    if (this.#plan.routed.length > 0 && this.#routers.length > 0) {
      throw this.#cannot('has addresses of its own, which its router does not change')
    }
    this.#moves++
    const outermost = this.#routers[0]
    if (outermost === undefined) this.#internet.address(this.host, 'eth0', { ip4: this.outside })
    else this.#internet.address(outermost.namespace, 'wan', { ip4: this.outside })
  }

  get #plan(): HomePlan {
    return homePlans[this.kind]
  }

  #routerAt(index: number, kind: RouterKind): Router {
    const { length } = this.#plan.routers
    const name = length === 1 ? `${this.name}-router` : `${this.name}-router${index + 1}`
    return new Router(this.#internet, name, kind, async (router) => {
      const carrier = this.#routers[index - 1]
      const line =
        carrier === undefined
          ? await this.#wireToInternet(router)
          : await wireToCarrier(router, carrier.namespace)
      if (index === length - 1) await this.#wireToHome(router)
      return line
    })
  }

  async #wireToInternet(router: Namespace): Promise<Namespace | undefined> {
    const ip6 = this.#plan.routed.includes('ip6')
    const line = await this.#internet.attach(
      router,
      'wan',
      { ip4: this.outside, ...(ip6 ? { ip6: `2a0b:11::1:${this.#number}` } : {}) },
      this.#line
    )
    const { ip4: own } = this.addresses
    if (this.#plan.routed.includes('ip4')) this.#internet.route(`${own}/32`, this.outside)
    if (ip6) {
      const network = `2a0b:11:0:${this.#number.toString(16)}::/64`
      this.#internet.route(network, `2a0b:11::1:${this.#number}`)
    }
    return line
  }

  async #wireToHome(router: Namespace): Promise<void> {
    await cable(this.host, 'eth0', router, 'lan')
    const { ip4 = lan.home, ip6 } = this.addresses
    const gateway = ip4.replace(/\d+$/, '1')
    router.ip(`addr add ${gateway}/24 dev lan`)
    this.host.ip(`addr add ${ip4}/24 dev eth0`, `route add default via ${gateway}`)
    if (ip6 === undefined) return
    const gateway6 = ip6.replace(/2$/, '1')
    router.ip(`addr add ${gateway6}/64 dev lan`)
    this.host.ip(`addr add ${ip6}/64 dev eth0`, `route add ::/0 via ${gateway6}`)
  }

  #cannot(why: string): StarlingError {
    return new StarlingError('STARLING_BAD_ARGUMENT', `home ${this.name} (${this.kind}) ${why}`)
  }
}

async function wireToCarrier(router: Namespace, carrier: Namespace): Promise<undefined> {
  await cable(router, 'wan', carrier, 'lan')
  carrier.ip(`addr add ${carrierNet.carrier}/24 dev lan`)
  router.ip(`addr add ${carrierNet.home}/24 dev wan`, `route add default via ${carrierNet.carrier}`)
}
