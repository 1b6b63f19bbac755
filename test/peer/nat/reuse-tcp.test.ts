import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { startNode } from '../swarm.ts'
import { startObserver } from './crossing.ts'
import { until } from './helper.ts'

describe('dials of one node', () => {
  it('all leave from one port, which is not the one that it listens on', async () => {
    const [node, ...others] = await Promise.all([startNode(), startNode(), startNode()])
    const { ownPort } = node.services.dialer!
    for (const other of others) {
      const connection = await node.dial(other.getMultiaddrs()[0]!)
      expect(ownPort.carries(connection)).toBe(true)
      await until(other, () => other.getConnections(node.peerId).length === 1)
      const [back] = other.getConnections(node.peerId)
      expect(back?.remoteAddr.toString()).toContain(`/tcp/${ownPort.number}/`)
    }
    expect(node.services.dialer!.listenPorts()).not.toContain(ownPort.number)
  })

  it('leave from any port when the same two ends are connected already', async () => {
    const [node, other] = await Promise.all([startNode(), startNode()])
    await node.dial(other.getMultiaddrs()[0]!)
    const second = await node.dial(other.getMultiaddrs()[0]!, { force: true })

    expect(node.services.dialer!.ownPort.carries(second)).toBe(false)
    expect(second.status).toBe('open')
  })

  it('may insist on that port, and then rather fail', async () => {
    const [node, other] = await Promise.all([startNode(), startNode()])
    const { dialer } = node.services
    const address = other.getMultiaddrs()[0]!
    await node.dial(address)

    const { signal } = new AbortController()
    await expect(dialer!.meet(other.peerId, address, 'initiator', signal)).rejects.toThrow(
      /EADDRNOTAVAIL|EADDRINUSE/
    )
  })

  it('respect whom the node does not want to know', async () => {
    const [node, other] = await Promise.all([startNode({ admits: () => false }), startNode()])
    const { signal } = new AbortController()
    const address = other.getMultiaddrs()[0]!
    await expect(node.services.dialer!.dial(other.peerId, address, signal)).rejects.toThrow(
      'not to be dialed'
    )
    await expect(
      node.services.dialer!.meet(other.peerId, address, 'initiator', signal)
    ).rejects.toThrow('not to be dialed')
  })

  it('come to an end when the budget does', async () => {
    const node = await startNode()
    const { dialer } = node.services
    const { port, callers } = await startObserver()
    while (dialer!.budget.take());
    await expect(node.dial(multiaddr(`/ip4/127.0.0.1/tcp/${port}`))).rejects.toThrow(
      'too many dials'
    )
    expect(callers).toEqual([])
    expect(dialer!.budget.counts.refused).toBeGreaterThan(0)
  })
})
