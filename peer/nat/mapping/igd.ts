import { randomInt } from 'node:crypto'
import { isIPv4 } from 'node:net'
import { isPrivateIp } from '@libp2p/utils'
import { StarlingError } from '../../../src/core/errors.ts'
import { descriptionsMax, descriptionsPerHostMax } from '../../../src/core/limits.ts'
import { lifetimeSeconds, type Forwarder, type Lease, type Wish } from './forwarder.ts'
import {
  conflict,
  encodeAction,
  faultIn,
  onlyForever,
  servicesIn,
  textOf,
  type Service
} from './igd-message.ts'
import { askOverHttp } from './router-http.ts'
import { searchRouters, type SsdpOptions } from './ssdp.ts'

/** Ports that are tried when the one we wish is somebody else's. */
const otherPortsMax = 3

/** A router that is asked by UPnP, through one of its services. */
export class Igd implements Forwarder {
  readonly language = 'UPnP'
  readonly host: string
  readonly port: number
  readonly at: string
  readonly #service: Service

  constructor(service: Service) {
    this.#service = service
    this.host = service.control.hostname
    this.port = Number(service.control.port || 80)
    this.at = service.control.href
  }

  async externalIp(signal?: AbortSignal): Promise<string> {
    const answer = await this.#ask('GetExternalIPAddress', [], signal)
    const ip = textOf(answer, 'NewExternalIPAddress') ?? ''
    if (!isIPv4(ip)) throw this.#failed('GetExternalIPAddress', 'names no address')
    return ip
  }

  async forward(wish: Wish, signal?: AbortSignal): Promise<Lease> {
    let { externalPort } = wish
    let seconds = lifetimeSeconds
    for (let others = 0; ;) {
      try {
        await this.#add({ ...wish, externalPort }, seconds, signal)
        return { externalPort, lifetimeSeconds: seconds === 0 ? Infinity : seconds }
      } catch (error) {
        const fault = faultOf(error)
        if (fault === onlyForever && seconds > 0) seconds = 0
        else if (fault === conflict && others++ < otherPortsMax) externalPort = anyPort()
        else throw error
      }
    }
  }

  async release({ protocol, externalPort }: Wish, signal?: AbortSignal): Promise<void> {
    const values = [
      ['NewRemoteHost', ''],
      ['NewExternalPort', externalPort],
      ['NewProtocol', protocol]
    ] as const
    await this.#ask('DeletePortMapping', values, signal)
  }

  /** UPnP has no word for it. */
  hasRestarted(): boolean {
    return false
  }

  async #add(wish: Wish, seconds: number, signal: AbortSignal | undefined): Promise<void> {
    const values = [
      ['NewRemoteHost', ''],
      ['NewExternalPort', wish.externalPort],
      ['NewProtocol', wish.protocol],
      ['NewInternalPort', wish.internalPort],
      ['NewInternalClient', wish.internalHost],
      ['NewEnabled', 1],
      ['NewPortMappingDescription', 'starling'],
      ['NewLeaseDuration', seconds]
    ] as const
    await this.#ask('AddPortMapping', values, signal)
  }

  async #ask(
    action: string,
    values: Parameters<typeof encodeAction>[2],
    signal: AbortSignal | undefined
  ): Promise<string> {
    const question = encodeAction(this.#service, action, values)
    const { status, text } = await askOverHttp(this.#service.control, { ...question, signal })
    if (status === 200) return text
    const fault = faultIn(text)
    throw this.#failed(action, fault === undefined ? `HTTP ${status}` : `error ${fault}`, fault)
  }

  #failed(action: string, why: string, fault?: number): StarlingError {
    const text = `the router at ${this.host} refuses by UPnP (${action}: ${why})`
    return new StarlingError('STARLING_UNREACHABLE', text, { fault })
  }
}

/**
 * The service of a router that forwards ports: one with a public address, if there is any; else one
 * that answers, be it to refuse: there may be no network yet.
 * @throws STARLING_UNREACHABLE when the description cannot be read
 */
export async function openIgd(description: URL, signal?: AbortSignal): Promise<Igd | undefined> {
  const { status, text } = await askOverHttp(description, { signal })
  if (status !== 200) return undefined
  let answering: Igd | undefined
  for (const service of servicesIn(text, description).slice(0, servicesMax)) {
    const igd = new Igd(service)
    try {
      if (isPrivateIp(await igd.externalIp(signal)) === false) return igd
      answering ??= igd
    } catch (error) {
      if (faultOf(error) !== undefined) answering ??= igd
    }
  }
  return answering
}

/** A modem and a line, each in two versions. */
const servicesMax = 4

/** Read the descriptions of all routers that answer a search. */
export async function findIgds(found: (igd: Igd) => void, options: SsdpOptions): Promise<void> {
  const read = new Set<string>()
  const onRouter = (description: URL): void => {
    const { href, hostname } = description
    const ofHost = [...read].filter((each) => new URL(each).hostname === hostname)
    if (read.has(href) || ofHost.length >= descriptionsPerHostMax) return
    if (read.size >= descriptionsMax) return
    read.add(href)
    void openIgd(description, options.signal).then(
      (igd) => igd !== undefined && found(igd),
      () => undefined // it does not say what it is
    )
  }
  await searchRouters(onRouter, options)
}

/** What the router itself gave as the reason. */
function faultOf(error: unknown): unknown {
  return error instanceof StarlingError ? error.details.fault : undefined
}

function anyPort(): number {
  return randomInt(1_024, 65_536)
}
