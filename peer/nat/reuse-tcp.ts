import type { Connection, DialTransportOptions, Transport } from '@libp2p/interface'
import { tcp, type TCPComponents, type TCPDialEvents } from '@libp2p/tcp'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { DialBudget } from './dial-budget.ts'
import type { OwnPort } from './own-port.ts'

export interface ReuseTcpOptions {
  readonly ownPort: OwnPort
  readonly budget: DialBudget
}

interface DialOptions extends DialTransportOptions<TCPDialEvents> {
  /** From our own port or not at all: any other one would miss the hole in the router. */
  readonly onlyFromOwnPort?: boolean
}

/**
 * libp2p's TCP, whose dials leave from one port. Where that cannot be, they leave from any: on Linux
 * when the same two ends are or were just connected, on Windows from the second connection on
 * (docs/decisions/0005-one-port-for-all-dials.md).
 */
export function reuseTcp({ ownPort, budget }: ReuseTcpOptions) {
  return (components: TCPComponents): Transport<TCPDialEvents> => {
    const transport = tcp()(components)
    const dialFrom = transport.dial.bind(transport)
    transport.dial = async (address: Multiaddr, options: DialOptions): Promise<Connection> => {
      if (!budget.take()) throw new Error('too many dials in the last minute; a later one may pass')
      const { onlyFromOwnPort = false, ...plain } = options
      try {
        // The option is handed on to node:net, but missing in libp2p's types.
        const bound = { ...plain, localPort: ownPort.number } as DialTransportOptions<TCPDialEvents>
        const connection = await dialFrom(address, bound)
        ownPort.add(connection)
        return connection
      } catch (failure) {
        if (onlyFromOwnPort || !isPortTrouble(failure)) throw failure
        return await dialFrom(address, { ...plain })
      }
    }
    return transport
  }
}

/** EADDRINUSE: somebody listens there. EADDRNOTAVAIL: these two ends are in use, or in TIME_WAIT. */
function isPortTrouble(failure: unknown): boolean {
  const code = failure instanceof Error && 'code' in failure ? failure.code : undefined
  return code === 'EADDRINUSE' || code === 'EADDRNOTAVAIL'
}
