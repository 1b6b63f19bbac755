import { once } from 'node:events'
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net'
import { Transform } from 'node:stream'
import { multiaddr } from '@multiformats/multiaddr'
import { onTestFinished } from 'vitest'
import type { StarlingNode } from '../../../peer/network/network.ts'

/** Stands between two nodes, and can forget the connections that there are, let little through, or nothing. */
export async function startRouter(to: StarlingNode) {
  const { port } = to
    .getMultiaddrs()[0]!
    .getComponents()
    .reduce((found, { name, value }) => (name === 'tcp' ? { port: Number(value) } : found), {
      port: 0
    })
  const pipes = new Set<readonly [Socket, Socket]>()
  const state = { isDown: false, attempts: 0, bytesPerMs: Infinity }
  const attempted = new EventTarget()
  const server = createServer((near) => {
    near.on('error', () => undefined)
    state.attempts++
    attempted.dispatchEvent(new Event('attempt'))
    if (state.isDown) return
    const far = connectTcp(port, '127.0.0.1')
    far.on('error', () => undefined)
    near
      .pipe(slowly(() => state.bytesPerMs))
      .pipe(far)
      .pipe(near)
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
    /** What comes from the end that dialed takes its time. */
    slowDown: (bytesPerMs: number) => (state.bytesPerMs = bytesPerMs),
    goDown: () => (state.isDown = true),
    attempts: async (count: number) => {
      while (state.attempts < count) await once(attempted, 'attempt')
      return state.attempts
    }
  }
}

function slowly(bytesPerMs: () => number): Transform {
  return new Transform({
    highWaterMark: 64 * 2 ** 10,
    transform: (chunk: Buffer, _encoding, done) => {
      setTimeout(done, chunk.length / bytesPerMs(), null, chunk)
    }
  })
}
