import { once } from 'node:events'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { cable, Lab, type Namespace } from './lab.ts'
import { StarlingError } from '../../src/core/errors.ts'

/**
 * The internet in one bridge: 11.0.0.0/24 and 2a0b:11::/64, with a gateway that knows the way to
 * networks behind routers. The addresses are of the kind that software takes for public; no packet
 * leaves the namespaces.
 */

const gateway = { ip4: '11.0.0.254', ip6: '2a0b:11::fe' } as const

const homesMax = 49

export interface Addresses {
  readonly ip4?: string
  readonly ip6?: string
}

export interface AccessLine {
  /** Each way, in milliseconds. Needs python3. */
  readonly delayMs: number
}

export class Internet {
  readonly lab: Lab
  readonly #bridge: Namespace
  #ports = 0
  #homes = 0

  constructor(lab: Lab) {
    this.lab = lab
    this.#bridge = lab.namespace('internet')
    this.#bridge.run(
      'sysctl',
      ...['-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'],
      // Short cuts that hosts are told of go astray when homes come and go.
      ...['net.ipv4.conf.all.send_redirects=0', 'net.ipv4.conf.default.send_redirects=0']
    )
    this.#bridge.ip(
      // Left to itself, a bridge takes the least hardware address of its ports, which come and go.
      'link add br0 address 02:11:00:00:00:fe type bridge',
      // Without this a new port is deaf for a while.
      'link set br0 type bridge forward_delay 0 mcast_snooping 0',
      'link set br0 up',
      `addr add ${gateway.ip4}/24 dev br0`,
      `addr add ${gateway.ip6}/64 dev br0`
    )
  }

  /** @returns 1 to 49, for a home to make its addresses of */
  takeNumber(): number {
    if (this.#homes === homesMax) throw new Error(`a lab has at most ${homesMax} homes`)
    return ++this.#homes
  }

  /**
   * Give a namespace an interface on the internet, with addresses and a default route.
   * @returns what is left to remove when that namespace goes
   */
  async attach(
    who: Namespace,
    name: string,
    addresses: Addresses,
    line: AccessLine
  ): Promise<Namespace | undefined> {
    const port = `p${++this.#ports}`
    const middle = line.delayMs === 0 ? undefined : this.lab.namespace(`line${port}`)
    if (middle === undefined) await cable(who, name, this.#bridge, port)
    else await this.#slowCable(who, name, port, middle, line)
    this.#bridge.ip(`link set ${port} master br0`)
    this.address(who, name, addresses)
    // Of a router that was built anew the gateway remembers the old hardware address, for half a minute.
    this.#bridge.ip('neigh flush dev br0')
    return middle
  }

  /** Addresses of an interface that is on the internet, in place of those that it has. */
  address(who: Namespace, name: string, { ip4, ip6 }: Addresses): void {
    who.ip(
      `addr flush dev ${name} scope global`,
      ...(ip4 === undefined
        ? []
        : [`addr add ${ip4}/24 dev ${name}`, `route replace default via ${gateway.ip4}`]),
      ...(ip6 === undefined
        ? []
        : [`addr add ${ip6}/64 dev ${name}`, `route replace ::/0 via ${gateway.ip6}`])
    )
  }

  /** Tell the way to a network behind a router. */
  route(network: string, via: string): void {
    this.#bridge.ip(`route replace ${network} via ${via}`)
  }

  async #slowCable(
    who: Namespace,
    name: string,
    port: string,
    middle: Namespace,
    line: AccessLine
  ): Promise<void> {
    // Nothing of its own is ever sent on the line.
    middle.run('sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1')
    await cable(who, name, middle, 'inner')
    await cable(middle, 'outer', this.#bridge, port)
    const carrier = middle.spawn('python3', [
      join(import.meta.dirname, 'delay.py'),
      ...['inner', 'outer', String(line.delayMs)]
    ])
    const ready = once(carrier.stdout as Readable, 'data')
    const ended = once(carrier, 'exit').then(() => {
      throw new StarlingError('STARLING_WORKER_FAILED', 'a delay needs python3 (3.7 or newer)')
    })
    await Promise.race([ready, ended])
    ended.catch(() => undefined)
  }
}
