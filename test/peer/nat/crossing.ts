import { createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Endpoint } from '../../../peer/nat/endpoint.ts'

/**
 * Two routers that let two knocks meet: whoever dials one side is joined to whoever dials the other.
 * So both ends of a connection have dialed, as in a simultaneous open, which loopback cannot do.
 */
export async function startCrossing(): Promise<readonly [Endpoint, Endpoint]> {
  const waiting: [Socket[], Socket[]] = [[], []]
  const side = async (mine: 0 | 1): Promise<Endpoint> => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      const other = waiting[mine === 0 ? 1 : 0].shift()
      if (other === undefined) waiting[mine].push(socket)
      else socket.pipe(other).pipe(socket)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    return { family: 'ip4', ip: '127.0.0.1', port: (server.address() as AddressInfo).port }
  }
  return [await side(0), await side(1)]
}

/** Ports at which a server sees its callers. */
export async function startObserver(): Promise<{ port: number; callers: number[] }> {
  const callers: number[] = []
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    callers.push(socket.remotePort ?? 0)
    sockets.push(socket.on('error', () => undefined))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, callers }
}

/** A port where nobody answers. */
export async function closedPort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as AddressInfo
    server.close(() => resolve(port))
  })
  return promise
}
