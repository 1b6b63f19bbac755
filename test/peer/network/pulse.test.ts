import { once } from 'node:events'
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, describe, expect, it } from 'vitest'
import { Guard } from '../../../peer/guarded.ts'
import type { StarlingNode } from '../../../peer/network/network.ts'
import { Pulse } from '../../../peer/network/pulse.ts'
import { startNode } from '../swarm.ts'

/** What comes of a path that silently carries nothing any more, as when a router has forgotten us. */

const cleanups: (() => unknown)[] = []
afterEach(() => cleanups.splice(0).forEach((cleanup) => cleanup()))

/** Stands between two nodes, and can forget the connections that there are, or let nothing through. */
async function startRouter(to: StarlingNode) {
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
  cleanups.push(() => server.close())
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

function feelPulse(node: StarlingNode) {
  const { promise: moved, resolve } = Promise.withResolvers<number>()
  const counts: number[] = []
  const guard = new Guard((where, error) => {
    throw new Error(where, { cause: error })
  })
  const onMoved = (dead: number): void => {
    counts.push(dead)
    resolve(dead)
  }
  const pulse = new Pulse({ node, guard, onMoved }, { everyMs: 20, answerMs: 500 })
  pulse.start()
  cleanups.push(() => pulse.stop())
  return { moved, counts }
}

describe('a connection that looks open and carries nothing', () => {
  it('is given up when its peer answers on a new one; those that answer stay', async () => {
    const [node, far, other] = await Promise.all([startNode(), startNode(), startNode()])
    const router = await startRouter(far)
    const lost = await node.dial(router.address)
    const kept = await node.dial(other.getMultiaddrs()[0]!)
    router.forget()
    const { moved } = feelPulse(node)

    expect(await moved).toBe(1)
    expect(lost.status).not.toBe('open')
    expect(kept.status).toBe('open')
  })

  it('is kept when its peer does not answer on a new one either: it may be busy', async () => {
    const [node, far] = await Promise.all([startNode(), startNode()])
    const router = await startRouter(far)
    const connection = await node.dial(router.address)
    router.forget()
    router.goDown()
    const { counts } = feelPulse(node)
    await router.attempts(4)

    expect(connection.status).toBe('open')
    expect(counts).toEqual([])
  })

  it('is no other: one that answers is left alone, however often it is asked', async () => {
    const [node, far] = await Promise.all([startNode(), startNode()])
    const router = await startRouter(far)
    const connection = await node.dial(router.address)
    const pings = Promise.withResolvers<void>()
    let count = 0
    await far.unhandle('/ipfs/ping/1.0.0')
    await far.handle('/ipfs/ping/1.0.0', (stream) => {
      stream.addEventListener('message', ({ data }) => stream.send(data))
      if (++count === 5) pings.resolve()
    })
    const { counts } = feelPulse(node)
    await pings.promise

    expect(connection.status).toBe('open')
    expect(counts).toEqual([])
  })
})
