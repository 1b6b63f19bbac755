import { describe, expect, it, onTestFinished } from 'vitest'
import { Guard } from '../../../peer/guarded.ts'
import type { StarlingNode } from '../../../peer/network/network.ts'
import { Pulse } from '../../../peer/network/pulse.ts'
import { startNode } from '../swarm.ts'
import { startRouter } from './router.ts'

/** What comes of a path that silently carries nothing any more, as when a router has forgotten us. */

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
  onTestFinished(() => pulse.stop())
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
