import { once } from 'node:events'
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { onTestFinished } from 'vitest'
import type { StarlingNode } from '../../../peer/network/network.ts'

/** Stands between two nodes, and can forget the connections that there are, or let nothing through. */
export async function startRouter(to: StarlingNode) {
  const { port } = to
    .getMultiaddrs()[0]!
    .getComponents()
    .reduce((found, { name, value }) => (name === 'tcp' ? { port: Number(value) } : found), {
      port: 0
    })
  const pipes = new Set<readonly [Socket, Socket]>()
  const state = { isDown: false, attempts: 0 }
  const attempted = new EventTarget()
  const server = createServer((near) => {
    near.on('error', () => undefined)
    state.attempts++
    attempted.dispatchEvent(new Event('attempt'))
    if (state.isDown) return
    const far = connectTcp(port, '127.0.0.1')
    far.on('error', () => undefined)
    near.pipe(far).pipe(near)
    pipes.add([near, far])
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return {
    address: multiaddr(
      `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}/p2p/${to.peerId.toString()}`
    ),
    forget: () => {
      for (const [near, far] of pipes) {
        for (const socket of [near, far]) socket.unpipe().pause()
      }
    },
    goDown: () => (state.isDown = true),
    attempts: async (count: number) => {
      while (state.attempts < count) await once(attempted, 'attempt')
    }
  }
}
