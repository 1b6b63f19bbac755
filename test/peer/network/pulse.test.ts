import { describe, expect, it, onTestFinished } from 'vitest'
import { Guard } from '../../../peer/guarded.ts'
import type { StarlingNode } from '../../../peer/network/network.ts'
import { Pulse, type PulseOptions } from '../../../peer/network/pulse.ts'
import { startHelper, until } from '../nat/helper.ts'
import { startNode } from '../swarm.ts'
import { startRouter } from './router.ts'

/** What comes of a path that silently carries nothing any more, as when a router has forgotten us. */

const pieceBytes = 2 ** 20
const modelBytes = 6 * pieceBytes

function feelPulse(node: StarlingNode, options: Partial<PulseOptions> = {}) {
  const { promise: moved, resolve } = Promise.withResolvers<number>()
  const counts: number[] = []
  const guard = new Guard((where, error) => {
    throw new Error(where, { cause: error })
  })
  const onMoved = (dead: number): void => {
    counts.push(dead)
    resolve(dead)
  }
  const hearing = node.services.hearing!
  const often = { everyMs: 20, answerMs: 500, silenceMs: 1_500, ...options }
  const pulse = new Pulse({ node, guard, hearing, onMoved }, often)
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

  it('is given up by the end that was dialed, too, when its peer answers through a relay', async () => {
    const [node, far, helper] = await Promise.all([startNode(), startNode(), startHelper()])
    await far.dial(helper.getMultiaddrs()[0]!)
    const circuit = () => far.getMultiaddrs().find((own) => own.toString().includes('circuit'))
    await until(far, () => circuit() !== undefined)
    await node.peerStore.save(far.peerId, { multiaddrs: [circuit()!] })
    const router = await startRouter(node)
    await far.dial(router.address)
    await until(node, () => node.getConnections(far.peerId).length === 1)
    const lost = node.getConnections(far.peerId)[0]!
    expect(lost.direction).toBe('inbound')
    router.forget()
    const { moved } = feelPulse(node)

    expect(await moved).toBe(1)
    expect(lost.status).toBe('aborted')
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

  it('is no slow one: behind a model an answer is late, but the other end is heard', async () => {
    const [node, far] = await Promise.all([startNode(), startNode()])
    const router = await startRouter(far)
    const connection = await node.dial(router.address)
    const arrived = Promise.withResolvers<void>()
    let bytes = 0
    await far.handle('/test/model', (stream) => {
      stream.addEventListener('message', ({ data }) => {
        bytes += data.byteLength
        if (bytes === modelBytes) arrived.resolve()
      })
    })
    const stream = await connection.newStream('/test/model')
    router.slowDown(1_000)
    for (let sent = 0; sent < modelBytes; sent += pieceBytes)
      stream.send(new Uint8Array(pieceBytes))
    const pulses = [feelPulse(node), feelPulse(far, { everyMs: 700 })]
    await arrived.promise

    expect(await router.attempts(2)).toBeGreaterThan(1)
    expect(connection.status).toBe('open')
    expect(pulses.map(({ counts }) => counts)).toEqual([[], []])
  })
})
