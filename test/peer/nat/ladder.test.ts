import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import type { Message } from '../../../protocols/messages.ts'
import { bodyDefaults } from '../../../peer/body.ts'
import type { LinksOptions } from '../../../peer/links.ts'
import { punchProtocol } from '../../../peer/nat/punch.ts'
import { connect, contactOf, startPeer, type Peer } from '../swarm.ts'
import { closedPort } from './crossing.ts'
import { startHelper, until, type HelperOptions } from './helper.ts'

/** On loopback, all that can be told of addresses is private: here it counts. */
const amongUs: LinksOptions = { ...bodyDefaults.links, isAcceptable: () => true }

const decline = (exchange: number): Message => ({ kind: 'decline', exchange })

/** A peer with a place at a relay, and another one that has met the relay. */
async function behindRelay(links: LinksOptions, helperOptions: HelperOptions = {}) {
  const helper = await startHelper(helperOptions)
  const relay = helper.getMultiaddrs()[0]!
  const [ana, ben] = await Promise.all([startPeer({ links }), startPeer({ links })])
  await Promise.all([ana.node.dial(relay), ben.node.dial(relay)])
  const isHeld = () => ben.node.getMultiaddrs().some((own) => own.toString().includes('circuit'))
  await until(ben.node, isHeld)
  const circuit = `${relay.toString()}/p2p-circuit`
  const dial = (...addresses: string[]) =>
    ana.body.perform({ kind: 'connect', contact: { peer: ben.id, addresses } })
  return { ana, ben, circuit, dial }
}

function viewsOf(peer: Peer, other: Peer) {
  return peer.body.status().connections.filter(({ peer: id }) => id === other.id)
}

describe('a peer behind routers', () => {
  it('is no peer while only a limited relay leads to it, and no frame takes that way', async () => {
    const { ana, ben, circuit, dial } = await behindRelay(bodyDefaults.links)
    dial(circuit)

    await ana.events.first('connection', ({ path, limited }) => path === 'relayed' && limited)
    const failed = await ana.events.first('upgrade-failed')
    expect(failed).toMatchObject({ peer: ben.id, reason: 'no-address' })
    await ana.inputs.first('unreachable', ({ peer }) => peer === ben.id)
    ana.body.perform({ kind: 'send', to: ben.id, message: decline(1) })

    expect(ana.inputs.of('peerUp')).toEqual([])
    expect(ben.inputs.of('peerUp')).toEqual([])
    expect(viewsOf(ana, ben)).toMatchObject([
      { kind: 'relayed', by: 'relay', limited: true, bytesSent: 0, direction: 'outbound' }
    ])
    expect(ana.body.status().paths).toEqual({ direct: 0, relayed: 1 })
    expect(ana.body.status().bugs + ben.body.status().bugs).toBe(0)
  })

  it('is met half way, and the relayed connection goes', async () => {
    const { ana, ben, circuit, dial } = await behindRelay(amongUs)
    dial(circuit)

    await Promise.all([ana.inputs.first('peerUp'), ben.inputs.first('peerUp')])
    const told = await ana.events.first('connection', ({ path }) => path === 'punched')
    expect(told).toMatchObject({ peer: ben.id, by: 'tcp-punch', limited: false })
    ana.body.perform({ kind: 'send', to: ben.id, message: decline(7) })
    await ben.inputs.first('message', ({ from }) => from === ana.id)
    await until(ana.node, () => viewsOf(ana, ben).length === 1)

    expect(viewsOf(ana, ben)).toMatchObject([{ kind: 'punched', limited: false }])
    expect(ana.inputs.of('unreachable')).toEqual([])
    expect(ana.inputs.of('peerDown')).toEqual([])
    expect(ana.body.status().paths).toEqual({ direct: 1, relayed: 0 })
  })

  it('is met once when both dial through the relay at the same moment', async () => {
    const { ana, ben, circuit, dial } = await behindRelay(amongUs)
    const isHeld = () => ana.node.getMultiaddrs().some((own) => own.toString().includes('circuit'))
    await until(ana.node, isHeld)
    dial(circuit)
    ben.body.perform({ kind: 'connect', contact: { peer: ana.id, addresses: [circuit] } })

    await Promise.all([ana.inputs.first('peerUp'), ben.inputs.first('peerUp')])
    await until(ana.node, () => viewsOf(ana, ben).length === 1)
    expect(viewsOf(ana, ben)).toMatchObject([{ limited: false }])
    expect([...ana.inputs.of('peerDown'), ...ben.inputs.of('peerDown')]).toEqual([])
  })

  it('is met through the other one when one of two relayed connections ends meanwhile', async () => {
    const { ana, ben, circuit, dial } = await behindRelay(amongUs)
    let meetings = 0
    ben.node.use(punchProtocol, async (stream, connection, next) => {
      if (++meetings > 1) return next(stream, connection)
      await ana.node.dial(multiaddr(`${circuit}/p2p/${ben.id}`), { force: true })
      connection.abort(new Error('one is enough'))
    })
    dial(circuit)

    await ana.events.first('connection', ({ path }) => path === 'punched')
    expect(meetings).toBe(2)
    expect(ana.events.of('upgrade-failed')).toEqual([])
  })

  it('is reached by a relay when its own address is dead', async () => {
    const { ana, ben, circuit, dial } = await behindRelay(amongUs)
    dial(`/ip4/127.0.0.1/tcp/${await closedPort()}`, circuit)

    await ana.inputs.first('peerUp', ({ peer }) => peer === ben.id)
  })

  it('is dialed directly where that works, and no relay is asked', async () => {
    const { ana, ben, circuit, dial } = await behindRelay(amongUs)
    dial(circuit, ...contactOf(ben).addresses)

    await ana.inputs.first('peerUp', ({ peer }) => peer === ben.id)
    expect(viewsOf(ana, ben)).toMatchObject([{ kind: 'direct', by: 'dial' }])
    expect(ana.events.of('connection').length).toBe(1)
  })

  it('moves from an unlimited relay to a direct connection without losing a frame', async () => {
    const { ana, ben, circuit, dial } = await behindRelay(amongUs, { isLimited: false })
    const count = 40
    ana.scribe.answer = (input) =>
      input.kind === 'peerUp'
        ? Array.from({ length: count }, (_, index) => ({
            kind: 'send' as const,
            to: input.peer,
            message: decline(index)
          }))
        : []
    dial(circuit)

    await ben.inputs.first(
      'message',
      ({ message }) => message.kind === 'decline' && message.exchange === count - 1
    )
    await ana.events.first('connection', ({ path }) => path === 'punched')
    await until(ana.node, () => viewsOf(ana, ben).length === 1)
    ana.body.perform({ kind: 'send', to: ben.id, message: decline(count) })
    await ben.inputs.first(
      'message',
      ({ message }) => message.kind === 'decline' && message.exchange === count
    )

    const received = ben.inputs.of('message').map(({ message }) => message)
    expect(received).toEqual(Array.from({ length: count + 1 }, (_, index) => decline(index)))
    expect(viewsOf(ana, ben)).toMatchObject([{ kind: 'punched' }])
    expect(ana.body.status().framesLost + ben.body.status().framesTruncated).toBe(0)
    expect(ana.inputs.of('peerDown')).toEqual([])
  })

  it('that nobody can reach is told once, and dials end', async () => {
    const [ana, ben] = await Promise.all([startPeer(), startPeer()])
    const addresses = await Promise.all(Array.from({ length: 8 }, closedPort))
    ana.body.perform({
      kind: 'connect',
      contact: { peer: ben.id, addresses: addresses.map((port) => `/ip4/127.0.0.1/tcp/${port}`) }
    })

    await ana.inputs.first('unreachable', ({ peer }) => peer === ben.id)
    expect(ana.inputs.of('unreachable').length).toBe(1)
    expect(ana.body.status().dials.made).toBe(8)
  })
})

describe('a helper', () => {
  it('is no peer, and whoever takes it for one is told so', async () => {
    const helper = await startHelper()
    const ana = await startPeer()
    const contact = {
      peer: helper.peerId.toString(),
      addresses: helper.getMultiaddrs().map(String)
    }
    for (const times of [1, 2]) {
      ana.body.perform({ kind: 'connect', contact })
      await ana.inputs.first('unreachable', () => ana.inputs.of('unreachable').length === times)
    }

    expect(ana.inputs.of('peerUp')).toEqual([])
    expect(ana.body.status().connections.length).toBe(1)
    expect(ana.body.status().paths).toEqual({ direct: 0, relayed: 0 })
  })
})

describe('of two connections between the same peers', () => {
  it('one remains at both ends, and frames and gossip go on', async () => {
    const [ana, ben] = await Promise.all([startPeer(), startPeer()])
    await connect(ana, ben)
    const pubsubs = [ana.node.services.pubsub!, ben.node.services.pubsub!] as const
    for (const pubsub of pubsubs) pubsub.subscribe('news')
    await ben.node.dial(multiaddr(contactOf(ana).addresses[0]), { force: true })
    expect(ben.node.getConnections(ana.node.peerId).length).toBe(2)

    await until(ana.node, () => viewsOf(ana, ben).length === 1)
    await until(ben.node, () => viewsOf(ben, ana).length === 1)
    ana.body.perform({ kind: 'send', to: ben.id, message: decline(1) })
    ben.body.perform({ kind: 'send', to: ana.id, message: decline(2) })
    await Promise.all([ana.inputs.first('message'), ben.inputs.first('message')])
    expect([...ana.inputs.of('peerDown'), ...ben.inputs.of('peerDown')]).toEqual([])

    for (const [from, to] of [pubsubs, [pubsubs[1], pubsubs[0]] as const]) {
      const heard = new Promise((resolve) =>
        to.addEventListener('message', resolve, { once: true })
      )
      let words = 0
      const say = () => void from.publish('news', Uint8Array.of(words++))
      from.addEventListener('gossipsub:heartbeat', say)
      await heard
      from.removeEventListener('gossipsub:heartbeat', say)
    }
  })
})
