import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import type { Connection, Stream } from '@libp2p/interface'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it, onTestFinished } from 'vitest'
import { addressOf, type Endpoint } from '../../../peer/nat/endpoint.ts'
import { decode, encode, answerSchema } from '../../../peer/nat/punch-messages.ts'
import { Punch, punchDefaults, punchProtocol, type PunchOptions } from '../../../peer/nat/punch.ts'
import type { StarlingNode } from '../../../peer/network/network.ts'
import { startRouter } from '../network/router.ts'
import { startNode } from '../swarm.ts'
import { closedPort, startCrossing } from './crossing.ts'
import { startHelper, until } from './helper.ts'

interface Side {
  readonly node: StarlingNode
  readonly punch: Punch
}

/** A node that hopes to be met at these places, and the punching that it does. */
async function startSide(
  candidates: readonly Endpoint[],
  relay?: string,
  options: Partial<PunchOptions> = {}
): Promise<Side> {
  const node = await startNode({ discovers: false })
  const direct = () =>
    node.getConnections().find((connection) => connection.direct && isPeer(connection))
  const isPeer = (connection: Connection) =>
    !connection.remoteAddr.toString().startsWith(relay ?? '-')
  const punch = new Punch(
    {
      self: node.peerId.toString(),
      dialer: node.services.dialer!,
      nowMs: () => performance.now(),
      candidates: () => candidates,
      isAcceptable: () => true,
      directTo: direct
    },
    { ...punchDefaults, aliveMsMax: 500, tries: 2, ...options }
  )
  const answer = (stream: Stream, connection: Connection) => punch.answer(stream, connection)
  await node.handle(punchProtocol, answer, { runOnLimitedConnection: true })
  return { node, punch }
}

/** Two sides that know each other through a relay alone, and the limited connection between them. */
async function acquainted(
  places: readonly [readonly Endpoint[], readonly Endpoint[]],
  options: Partial<PunchOptions> = {}
) {
  const helper = await startHelper()
  const relay = helper.getMultiaddrs()[0]!
  const ana = await startSide(places[0], relay.toString(), options)
  const ben = await startSide(places[1], relay.toString(), options)
  await ben.node.dial(relay)
  const isRelayed = () => ben.node.getMultiaddrs().some((own) => own.toString().includes('circuit'))
  await until(ben.node, isRelayed)
  const relayed = await ana.node.dial(
    relay.encapsulate(`/p2p-circuit/p2p/${ben.node.peerId.toString()}`)
  )
  expect(relayed.limits).toBeDefined()
  return { ana, ben, relayed, relay: relay.toString() }
}

describe('two peers behind routers', () => {
  it('meet half way: both dial, and one connection stands that relays nothing', async () => {
    const [left, right] = await startCrossing()
    const { ana, ben, relayed } = await acquainted([[left], [right]])

    const outcome = await ana.punch.request(relayed)

    if (outcome.kind !== 'through') throw new Error(outcome.reason)
    const { connection } = outcome
    expect(connection.direct).toBe(true)
    expect(connection.limits).toBeUndefined()
    expect(connection.direction).toBe('outbound')
    expect(ana.punch.made(connection)).toBe(true)
    await until(ben.node, () =>
      ben.node.getConnections(ana.node.peerId).some((one) => one.direct && ben.punch.made(one))
    )
    // Streams work in both directions: each end numbers its own.
    await ana.node.services.ping.ping(ben.node.peerId)
    const back = ben.node.getConnections(ana.node.peerId).find(({ direct }) => direct)!
    expect(back.direction).toBe('inbound')
    await back.newStream('/ipfs/ping/1.0.0')
  })

  it('try again and give up where nobody answers, and the relayed connection stays', async () => {
    const nowhere = async (): Promise<Endpoint> => ({
      family: 'ip4',
      ip: '127.0.0.1',
      port: await closedPort()
    })
    const { ana, relayed } = await acquainted([[await nowhere()], [await nowhere()]])

    expect(await ana.punch.request(relayed)).toEqual({ kind: 'failed', reason: 'not-through' })
    expect(ana.punch.missed).toBe(1)
    expect(relayed.status).toBe('open')
  })

  it('give up after two tries that nobody even refused', async () => {
    let knocks = 0
    const silent = createServer(() => void knocks++).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => void silent.close())
    const { port } = silent.address() as AddressInfo
    const [left] = await startCrossing()
    const places = [[left], [{ family: 'ip4', ip: '127.0.0.1', port }]] as const
    const { ana, relayed } = await acquainted(places, { tries: 6, tryMs: 200 })

    expect(await ana.punch.request(relayed)).toEqual({ kind: 'failed', reason: 'not-through' })
    expect(knocks).toBe(2)
  })

  it('do not dial at all when one of them has no place to meet', async () => {
    const [left] = await startCrossing()
    const { ana, ben, relayed } = await acquainted([[left], []])
    const before = [ana, ben].map(({ node }) => node.services.dialer!.budget.counts.made)

    expect(await ana.punch.request(relayed)).toEqual({ kind: 'failed', reason: 'no-address' })
    expect([ana, ben].map(({ node }) => node.services.dialer!.budget.counts.made)).toEqual(before)
  })

  it('have one meeting at a time, however often they ask', async () => {
    const [left, right] = await startCrossing()
    const { ana, relayed } = await acquainted([[left], [right]])

    const [one, other] = await Promise.all([ana.punch.request(relayed), ana.punch.request(relayed)])
    expect(one).toBe(other)
  })

  it('meet once when both ask at the same time', async () => {
    const [left, right] = await startCrossing()
    const { ana, ben, relayed, relay } = await acquainted([[left], [right]])
    await until(ana.node, () =>
      ana.node.getMultiaddrs().some((own) => own.toString().includes('circuit'))
    )
    const circuit = `${relay}/p2p-circuit/p2p/${ana.node.peerId.toString()}`
    const opposite = await ben.node.dial(multiaddr(circuit), { force: true })

    const outcomes = await Promise.all([ana.punch.request(relayed), ben.punch.request(opposite)])

    const lower = ana.node.peerId.toString() < ben.node.peerId.toString() ? 0 : 1
    expect(outcomes[lower]).toMatchObject({ kind: 'through' })
    const direct = () => ana.node.getConnections(ben.node.peerId).filter(({ direct }) => direct)
    await until(ana.node, () => direct().length > 0) // the one that was asked may need a moment more
    expect(direct().length).toBe(1)
  })
})

describe('a peer that asks us to knock somewhere', () => {
  async function ask(relayed: Connection, bytes: Uint8Array): Promise<unknown> {
    const stream = await relayed.newStream(punchProtocol, { runOnLimitedConnection: true })
    const words = lpStream(stream)
    await words.write(bytes)
    const answer = await words.read({ signal: AbortSignal.timeout(3_000) })
    return decode(answerSchema, answer.subarray())
  }

  it('makes us dial nothing before it says go, and little after', async () => {
    const [left, right] = await startCrossing()
    const { ben, relayed } = await acquainted([[left], [right]])
    const victims = await Promise.all([closedPort(), closedPort(), closedPort(), closedPort()])
    const { budget } = ben.node.services.dialer!
    const before = budget.counts.made

    const stream = await relayed.newStream(punchProtocol, { runOnLimitedConnection: true })
    const words = lpStream(stream)
    await words.write(encode({ addresses: victims.map((port) => `/ip4/127.0.0.1/tcp/${port}`) }))
    const answer = decode(answerSchema, (await words.read()).subarray())
    expect(answer).toEqual({ addresses: [addressOf(right)] })
    expect(budget.counts.made).toBe(before)
    await words.write(encode({ go: true }))
    await new Promise((resolve) => {
      stream.addEventListener('remoteCloseWrite', resolve, { once: true })
      stream.addEventListener('close', resolve, { once: true })
    })
    expect(budget.counts.made - before).toBe(8) // four places, two tries

    const again = await ask(relayed, encode({ addresses: [addressOf(left)] }))
    expect(again).toEqual({ refused: 'too-soon' })
    expect(budget.counts.made - before).toBe(8)
  })

  it('is told no place when it names none that may be dialed', async () => {
    const [left, right] = await startCrossing()
    const { relayed } = await acquainted([[left], [right]])
    const request = encode({ addresses: ['/ip4/127.0.0.1/tcp/1'] }) // a port of the system

    expect(await ask(relayed, request)).toEqual({ addresses: [] })
  })

  it('is met anew when the connection that we still have of it carries nothing', async () => {
    const [left, right] = await startCrossing()
    const { ana, ben, relayed } = await acquainted([[left], [right]])
    const router = await startRouter(ben.node)
    await ana.node.dial(router.address, { force: true })
    const stale = () => ben.node.getConnections(ana.node.peerId).filter(({ direct }) => direct)
    await until(ben.node, () => stale().length === 1)
    const request = encode({ addresses: [addressOf(left)] })
    expect(await ask(relayed, request)).toEqual({ refused: 'already-direct' })

    router.forget()

    expect(await ask(relayed, request)).toEqual({ addresses: [addressOf(right)] })
    expect(stale()).toEqual([])
  })

  it.each([
    ['random bytes', Uint8Array.of(1, 2, 3)],
    ['nothing', new Uint8Array()],
    ['more than a message holds', new Uint8Array(5_000)]
  ])('is cut off when it says %s, and the node lives on', async (_, bytes) => {
    const [left, right] = await startCrossing()
    const { ana, ben, relayed } = await acquainted([[left], [right]])

    await expect(ask(relayed, bytes)).rejects.toThrow()
    await ana.node.services.ping.ping(ben.node.peerId).catch(() => undefined)
    expect(ben.node.status).toBe('started')
    expect(relayed.status).toBe('open')
  })
})
