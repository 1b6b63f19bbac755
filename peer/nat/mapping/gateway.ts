import type { UPnPNATClient } from '@libp2p/upnp-nat'
import type { Forwarder } from './forwarder.ts'

/** As libp2p knows routers. */
export type Gateway = Awaited<ReturnType<UPnPNATClient['getGateway']>>
export type PortMapping = Awaited<ReturnType<Gateway['map']>>
export type MapOptions = Parameters<Gateway['map']>[2]
export type Aborted = Parameters<Gateway['stop']>[0]

/** A router that has answered, for `status`. */
export interface RouterFound {
  readonly host: string
  /** The language in which it forwards, or else answered. */
  readonly language: Forwarder['language']
  /** Ports of its outside that lead to us; none when it merely answers. */
  readonly ports: readonly number[]
  /** Why it forwards nothing, where that is known. */
  readonly problem: string | null
}
