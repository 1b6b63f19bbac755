import { once } from 'node:events'
import { createServer } from 'node:net'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../../src/core/digest.ts'
import type { Message } from '../../protocols/messages.ts'
import { framesProtocol } from '../../peer/frames.ts'
import { readPeerAddress } from '../../peer/network/addresses.ts'
import { startHelper } from './nat/helper.ts'
import { connect, contactOf, startNode, startPeer, type Peer } from './swarm.ts'
import { recordOf } from '../records.ts'
import { tinyTask } from '../tiny-task.ts'

const count = 1000
const parameters = Float32Array.from({ length: count }, (_, i) => i / 7)
const lineage = 'cd'.repeat(32)
const progress = { round: 3, age: 4096, samples: 512 }

const everyKind: Message[] = [
  {
    kind: 'hello',
    ...progress,
    lineage,
    task: null,
    layout: null,
    record: recordOf('ana'),
    offers: [],
    known: false
  },
  { kind: 'peers', records: [{ signed: recordOf('ana'), heardSecondsAgo: 2 }] },
  { kind: 'want', what: 'state', task: null },
  { kind: 'task', manifest: tinyTask(count).bytes },
  { kind: 'state', ...progress, lineage, digest: 'ab'.repeat(32), parameters },
  {
    kind: 'update',
    ...progress,
    lineage,
    digest: 'ab'.repeat(32),
    phase: 'push',
    exchange: 7,
    degree: 2,
    parameters
  },
  { kind: 'decline', exchange: 7 },
  { kind: 'leave' }
]

function send(from: Peer, to: Peer, message: Message): void {
  from.body.perform({ kind: 'send', to: to.id, message })
}

function adopt(peer: Peer, parameterCount = count): void {
  peer.body.perform({ kind: 'adopt', task: tinyTask(parameterCount) })
}

describe('frames between two bodies', () => {
  it('arrive equal and in order, every kind of them', async () => {
    const [ana, ben] = await Promise.all([startPeer(), startPeer()])
    adopt(ben)
    await connect(ana, ben)

    for (const message of everyKind) send(ana, ben, message)
    await ben.inputs.first('message', ({ message }) => message.kind === 'leave')

    const received = ben.inputs.of('message')
    expect(received.map(({ message }) => message)).toEqual(everyKind)
    expect(new Set(received.map(({ from }) => from))).toEqual(new Set([ana.id]))
    expect(ben.body.status().bytesReceived).toBe(ana.body.status().bytesSent)
  })

  it('carry a model of 8 MB both ways at once', async () => {
    const [ana, ben] = await Promise.all([startPeer(), startPeer()])
    const large = Float32Array.from({ length: 2_000_000 }, (_, i) => Math.sin(i))
    const update: Message = { ...everyKind[5]!, parameters: large } as Message
    for (const peer of [ana, ben]) adopt(peer, large.length)
    await connect(ana, ben)

    send(ana, ben, update)
    send(ben, ana, update)

    for (const peer of [ana, ben]) {
      const { message } = await peer.inputs.first('message')
      expect({ ...message, parameters: null }).toEqual({ ...update, parameters: null })
      expect('parameters' in message && sha256Hex(message.parameters)).toBe(sha256Hex(large))
    }
  })

  it('are welcome as soon as the peer is up, also from the side that was dialed', async () => {
    const [ana, ben] = await Promise.all([startPeer(), startPeer()])
    ben.scribe.answer = (input) =>
      input.kind === 'peerUp' ? [{ kind: 'send', to: input.peer, message: { kind: 'leave' } }] : []
    await connect(ana, ben)
    expect((await ana.inputs.first('message')).message).toEqual({ kind: 'leave' })
    const kinds = ana.inputs.entries.map(({ kind }) => kind)
    expect(kinds.indexOf('peerUp')).toBeLessThan(kinds.indexOf('message'))
  })
})

describe('peers', () => {
  it('come up and go down once, however many connections they have', async () => {
    const [ana, ben] = await Promise.all([startPeer(), startPeer()])
    await connect(ana, ben)
    const secondArrived = once(ben.node, 'connection:open')
    await ana.node.dial(ben.node.getMultiaddrs()[0]!, { force: true })
    await secondArrived
    expect(ben.node.getConnections(ana.node.peerId).length).toBe(2)

    for (const connection of ana.node.getConnections(ben.node.peerId)) {
      connection.abort(new Error('cut'))
    }
    await Promise.all([ana.inputs.first('peerDown'), ben.inputs.first('peerDown')])
    await connect(ana, ben) // after this, late events of the first time would have arrived

    for (const { inputs } of [ana, ben]) {
      expect(inputs.of('peerDown').length).toBe(1)
      const ups = inputs.entries.filter(({ kind }) => kind === 'peerUp' || kind === 'peerDown')
      expect(ups.map(({ kind }) => kind).slice(0, 2)).toEqual(['peerUp', 'peerDown'])
    }
  })

  it('stay up when one of two connections is lost, and frames take the other', async () => {
    const [ana, ben] = await Promise.all([startPeer(), startPeer()])
    await connect(ana, ben)
    send(ana, ben, { kind: 'decline', exchange: 1 })
    await ben.inputs.first('message')
    const second = await ana.node.dial(ben.node.getMultiaddrs()[0]!, { force: true })

    for (const connection of ana.node.getConnections(ben.node.peerId)) {
      if (connection !== second) connection.abort(new Error('cut'))
    }
    send(ana, ben, { kind: 'decline', exchange: 2 })

    const isSecond = ({ message }: { message: Message }) =>
      message.kind === 'decline' && message.exchange === 2
    await ben.inputs.first('message', isSecond)
    expect(ana.inputs.of('peerDown')).toEqual([])
    expect(ben.inputs.of('peerDown')).toEqual([])
  })

  it('are told about when a dial fails, and never dialed when they are ourselves', async () => {
    const ana = await startPeer()
    const ben = await startPeer()
    const contact = contactOf(ben)
    await ben.body.stop()
    ana.body.perform({ kind: 'connect', contact: contactOf(ana) })
    ana.body.perform({ kind: 'connect', contact })
    const { peer } = await ana.inputs.first('unreachable')
    expect(peer).toBe(ben.id)
    expect(ana.inputs.of('unreachable').length).toBe(1)
  })

  it('whose contact is nonsense are unreachable, and nothing else happens', async () => {
    const ana = await startPeer()
    ana.body.perform({ kind: 'connect', contact: { peer: 'nobody', addresses: ['/ip4/x', '\0'] } })
    expect((await ana.inputs.first('unreachable')).peer).toBe('nobody')
    expect(ana.body.status().bugs).toBe(0)
  })

  it('are let go when the participant asks', async () => {
    const [ana, ben] = await Promise.all([startPeer(), startPeer()])
    await connect(ana, ben)
    send(ana, ben, { kind: 'leave' })
    ana.body.perform({ kind: 'disconnect', peer: ben.id })
    await Promise.all([ana.inputs.first('peerDown'), ben.inputs.first('peerDown')])
    expect(ben.inputs.of('message').map(({ message }) => message.kind)).toEqual(['leave'])
  })

  it('that are known by id alone are found through the DHT', async () => {
    const [ana, hub, ben] = await Promise.all([startPeer(), startPeer(), startPeer()])
    await connect(ana, hub)
    await connect(ben, hub)
    const found = Promise.withResolvers<void>()
    ana.scribe.answer = (input) => {
      if (input.kind === 'unreachable') retry() // the routing tables fill after the connections
      if (input.kind === 'peerUp' && input.peer === ben.id) found.resolve()
      return []
    }
    const retry = () =>
      ana.body.perform({ kind: 'connect', contact: { peer: ben.id, addresses: [] } })
    retry()
    await found.promise
  })
})

describe('our addresses', () => {
  it('are told when there is a new one, which libp2p itself tells a second later', async () => {
    const [ana, helper] = [await startPeer(), await startHelper()]
    const isRelayed = (address: unknown): boolean => String(address).includes('p2p-circuit')
    let isLate = false
    ana.node.addEventListener('self:peer:update', ({ detail }) => {
      isLate ||= detail.peer.addresses.some(({ multiaddr }) => isRelayed(multiaddr))
    })
    await ana.node.dial(helper.getMultiaddrs()[0]!)
    await ana.inputs.first('listening', ({ addresses }) => addresses.some(isRelayed))
    expect(isLate).toBe(false)
  })
})

describe('bootstrap peers', () => {
  it('are dialed again until they come up, and each failure is told', async () => {
    const { privateKey, address, peer } = await reserve()
    const ana = await startPeer({
      bootstraps: [readPeerAddress(address, '--join')],
      bootstrap: { pauseMs: 50, pauseMsMax: 100 }
    })
    const failure = await ana.events.first('bootstrap-unreachable')
    expect(failure).toMatchObject({
      address,
      reason: expect.stringMatching(/ECONNREFUSED/) as string
    })
    expect(failure.retryInMs).toBeLessThanOrEqual(100)

    const ben = await startPeer({ privateKey, listen: [address.replace(/\/p2p\/.*/, '')] })
    expect(ben.id).toBe(peer)
    await ana.inputs.first('peerUp', (up) => up.peer === peer)
    await ana.events.first('bootstrap-reached')
  })

  it('are dialed again after their connection was lost', async () => {
    const ben = await startPeer()
    const address = ben.node.getMultiaddrs()[0]!.toString()
    const ana = await startPeer({
      bootstraps: [readPeerAddress(address, '--join')],
      bootstrap: { pauseMs: 20, pauseMsMax: 50 }
    })
    await ben.inputs.first('peerUp')
    for (const connection of ben.node.getConnections()) connection.abort(new Error('cut'))
    await ana.inputs.first('peerDown')
    await ana.inputs.first('peerUp', () => ana.inputs.of('peerUp').length === 2)
  })
})

describe('timers', () => {
  it('are replaced by name', async () => {
    const ana = await startPeer()
    ana.body.perform({ kind: 'wake', timer: 'round', afterMs: 10_000_000_000 })
    ana.body.perform({ kind: 'wake', timer: 'round', afterMs: 0 })
    ana.body.perform({ kind: 'wake', timer: 'join', afterMs: 5 })
    await ana.inputs.first('wake', ({ timer }) => timer === 'join')
    expect(ana.inputs.of('wake').map(({ timer }) => timer)).toEqual(['round', 'join'])
  })
})

describe('work that is done elsewhere', () => {
  it('comes back as inputs, and so does its failure', async () => {
    const state = { parameters, optimizer: new Float32Array(0), steps: 5 }
    const result = { ...state, loss: 1, samples: 32, rolledBack: false }
    const ana = await startPeer({
      trainer: {
        adopt: () => Promise.reject(new Error('the data has 3 classes')),
        train: (_, steps) =>
          steps > 5 ? Promise.reject(new Error('out of memory')) : Promise.resolve(result),
        merge: () => Promise.reject(new Error('out of memory')),
        evaluate: () => Promise.resolve({ loss: 0.5, accuracy: 0.75 })
      },
      store: { save: () => Promise.reject(new Error('disk full')) }
    })
    adopt(ana)
    ana.body.perform({ kind: 'train', state, steps: 5 })
    ana.body.perform({ kind: 'train', state, steps: 6 })
    const own = { from: ana.id, parameters, weight: 1, lineage, age: 1 }
    ana.body.perform({ kind: 'merge', job: { own, others: [], dice: 'merge', bestLoss: Infinity } })
    ana.body.perform({ kind: 'evaluate', round: 1, parameters })
    ana.body.perform({ kind: 'save', checkpoint: { task: 't', round: 1, age: 1, lineage, state } })

    expect(await ana.inputs.first('unfit')).toMatchObject({ reason: 'the data has 3 classes' })
    expect(await ana.inputs.first('trained')).toMatchObject({ result })
    expect(await ana.inputs.first('trainFailed')).toMatchObject({ reason: 'out of memory' })
    expect(await ana.inputs.first('mergeFailed')).toMatchObject({
      reason: 'cannot merge: out of memory'
    })
    expect(await ana.inputs.first('evaluated')).toMatchObject({ evaluation: { accuracy: 0.75 } })
    expect(await ana.inputs.first('saveFailed')).toMatchObject({ reason: 'disk full' })
  })
})

describe('our own bugs', () => {
  it('in a machine or a listener are counted and told, and the node lives on', async () => {
    const [ana, ben] = await Promise.all([startPeer(), startPeer()])
    ana.body.onEvent(() => {
      throw new Error('a listener threw')
    })
    ana.scribe.answer = (input) => {
      if (input.kind === 'message') throw new Error('a machine threw')
      return []
    }
    await connect(ben, ana)
    send(ben, ana, { kind: 'decline', exchange: 1 })
    await ana.events.first('bug', ({ reason }) => reason === 'a machine threw')

    ana.body.perform({ kind: 'emit', event: { kind: 'saved', round: 1 } })
    expect(ana.body.status().bugs).toBeGreaterThanOrEqual(2)
    send(ben, ana, { kind: 'decline', exchange: 2 })
    const isSecond = ({ message }: { message: Message }) =>
      message.kind === 'decline' && message.exchange === 2
    await ana.inputs.first('message', isSecond)
    expect(ana.inputs.of('peerDown')).toEqual([])
  })
})

describe('stopping', () => {
  it('delivers the goodbye and waits for the checkpoint', async () => {
    let saved = false
    const store = {
      save: async () => {
        await new Promise((resolve) => setImmediate(resolve))
        saved = true
      }
    }
    const [ana, ben] = await Promise.all([startPeer({ store }), startPeer()])
    await connect(ana, ben)
    const state = { parameters, optimizer: new Float32Array(0), steps: 5 }
    ana.scribe.answer = (input) =>
      input.kind === 'leave'
        ? [
            { kind: 'send', to: ben.id, message: { kind: 'leave' } },
            { kind: 'save', checkpoint: { task: 't', round: 1, age: 1, lineage, state } }
          ]
        : []

    await ana.body.stop()

    expect(saved).toBe(true)
    await ben.inputs.first('message', ({ message }) => message.kind === 'leave')
    await ben.inputs.first('peerDown')
  })

  it('takes at most five seconds, though a peer never reads and a disk never answers', async () => {
    const store = { save: () => new Promise<void>(() => undefined) }
    const ana = await startPeer({ store })
    const deaf = await startNode()
    // It accepts the stream and lets the window run full.
    await deaf.handle(framesProtocol, (stream) => stream.pause())
    await ana.node.dial(deaf.getMultiaddrs()[0]!)
    await ana.inputs.first('peerUp')
    const large = { ...everyKind[5]!, parameters: new Float32Array(8_000_000) } as Message
    ana.body.perform({ kind: 'send', to: deaf.peerId.toString(), message: large })
    const state = { parameters, optimizer: new Float32Array(0), steps: 5 }
    ana.body.perform({ kind: 'save', checkpoint: { task: 't', round: 1, age: 1, lineage, state } })

    const startedMs = performance.now()
    await ana.body.stop()
    expect(performance.now() - startedMs).toBeLessThan(5_000)
    expect(ana.node.status).toBe('stopped')
  })
})

/** A peer's key and address on a port where nobody listens yet. */
async function reserve() {
  const privateKey = await generateKeyPair('Ed25519')
  const server = createServer()
  const { promise, resolve } = Promise.withResolvers<number>()
  server.listen(0, '127.0.0.1', () => {
    const bound = server.address()
    const port = typeof bound === 'object' && bound !== null ? bound.port : 0
    server.close(() => resolve(port))
  })
  const peer = peerIdFromPrivateKey(privateKey).toString()
  return { privateKey, peer, address: `/ip4/127.0.0.1/tcp/${await promise}/p2p/${peer}` }
}

describe('a peer of another version', () => {
  it('is named on our side, once, and is no peer', async () => {
    const [ana, older] = await Promise.all([startPeer(), startNode()])
    await older.handle('/starling/2/frames', (stream) => stream.abort(new Error('not now')))
    const id = older.peerId.toString()
    const addresses = older.getMultiaddrs().map((address) => address.toString())
    for (let i = 0; i < 2; i++) {
      ana.body.perform({ kind: 'connect', contact: { peer: id, addresses } })
      await ana.inputs.first('unreachable', ({ peer }) => peer === id)
    }
    expect(ana.events.of('peer-incompatible')).toEqual([
      { kind: 'peer-incompatible', peer: id, ours: framesProtocol, theirs: '/starling/2/frames' }
    ])
    expect(ana.inputs.of('peerUp')).toEqual([])
  })
})
