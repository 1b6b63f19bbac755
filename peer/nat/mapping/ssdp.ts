import { createSocket, type Socket } from 'node:dgram'
import { setTimeout as pause } from 'node:timers/promises'
import { isPrivateIp } from '@libp2p/utils'
import { decodeSearchAnswer, encodeSearch, routerTypes, ssdpGroup } from './ssdp-message.ts'
import { ownNetworks } from './own-gateways.ts'

/** UPnP Device Architecture 1.1, section 1.3.2. */
const hopsMax = 2

export interface SsdpOptions {
  readonly signal: AbortSignal
  /** Between two questions, in milliseconds. */
  readonly againMs: number
  /** Addresses of ours to ask from, each on its network. */
  readonly from?: readonly string[]
  /** Whom to ask. */
  readonly to?: { readonly host: string; readonly port: number }
}

/**
 * Ask for routers on all our networks, until the signal.
 *
 * From a port of our own: what others shout to everybody at port 1900 is not heard.
 * @param onRouter - called with every answer: where the router that sent it describes itself
 */
export async function searchRouters(
  onRouter: (description: URL) => void,
  { signal, againMs, from = ownAddresses(), to = ssdpGroup }: SsdpOptions
): Promise<void> {
  if (signal.aborted) return
  const sockets = from.map((address) => {
    const socket = createSocket({ type: 'udp4', signal })
    socket.on('error', ignore)
    socket.on('message', (bytes, sender) => {
      if (isPrivateIp(sender.address) !== true) return
      const description = decodeSearchAnswer(bytes, sender.address)
      if (description !== undefined) onRouter(description)
    })
    const { promise: bound, resolve } = Promise.withResolvers<void>()
    socket.bind(0, address, resolve)
    return bound.then(() => {
      socket.setMulticastInterface(address)
      socket.setMulticastTTL(hopsMax)
      return socket
    })
  })
  const isOver = (): boolean => signal.aborted
  while (!isOver()) {
    for (const socket of sockets) void socket.then((open) => isOver() || ask(open, to), ignore)
    await pause(againMs, undefined, { signal }).catch(ignore)
  }
}

function ask(socket: Socket, { host, port }: NonNullable<SsdpOptions['to']>): void {
  for (const type of routerTypes) socket.send(encodeSearch(type), port, host, ignore)
}

/** A network that cannot be asked is not asked. */
function ignore(): void {}

function ownAddresses(): string[] {
  return ownNetworks().map(({ address }) => address)
}
