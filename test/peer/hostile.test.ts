import type { Stream } from '@libp2p/interface'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Message, Update } from '../../protocols/messages.ts'
import { encodeFrame } from '../../protocols/wire.ts'
import { framesProtocol } from '../../peer/frames.ts'
import type { StarlingNode } from '../../peer/network/network.ts'
import { contactOf, connect, startNode, startPeer, type Peer } from './swarm.ts'
import { tinyTask } from '../tiny-task.ts'

/** What strangers do to a node that listens: here they are libp2p nodes that write raw bytes. */

const count = 200_000
const parameters = Float32Array.from({ length: count }, (_, i) => i)
const update: Update = {
  kind: 'update',
  round: 1,
  age: 1,
  samples: 1,
  phase: 'push',
  exchange: 1,
  degree: 1,
  lineage: 'ab'.repeat(32),
  digest: 'cd'.repeat(32),
  parameters
}
const frame = Buffer.concat(encodeFrame(update))
const decline: Message = { kind: 'decline', exchange: 5 }

interface Siege {
  readonly victim: Peer
  readonly stranger: StarlingNode
  readonly open: () => Promise<Stream>
}

async function siege(options: Parameters<typeof startPeer>[0] = {}): Promise<Siege> {
  const [victim, stranger] = await Promise.all([startPeer(options), startNode()])
  victim.body.perform({ kind: 'adopt', task: tinyTask(count) })
  await stranger.handle(framesProtocol, () => undefined) // says that it speaks it
  const connection = await stranger.dial(victim.node.getMultiaddrs()[0]!)
  const open = () => connection.newStream(framesProtocol)
  await victim.inputs.first('peerUp')
  return { victim, stranger, open }
}

/** Settles when the stream is over, and says how. */
function ended(stream: Stream): Promise<string> {
  if (stream.status !== 'open') return Promise.resolve(stream.status)
  return new Promise((resolve) => {
    stream.addEventListener('close', () => resolve(stream.status))
  })
}

/** Honest frames still arrive, and nothing of ours broke. */
async function expectUnharmed({ victim }: Siege): Promise<void> {
  const honest = await startPeer()
  await connect(honest, victim)
  honest.body.perform({ kind: 'send', to: victim.id, message: decline })
  await victim.inputs.first('message', ({ from }) => from === honest.id)
  expect(victim.body.status().bugs).toBe(0)
}

describe('a stranger', () => {
  it('who writes random bytes is reset, and reported once a stream', async () => {
    const scene = await siege()
    const garbage = fc.sample(fc.uint8Array({ minLength: 12, maxLength: 70_000 }), {
      numRuns: 20,
      seed: 1
    })
    for (const bytes of garbage) {
      bytes[0] = 0 // never our magic
      const stream = await scene.open()
      stream.send(bytes)
      expect(await ended(stream)).toBe('reset')
    }
    const faults = scene.victim.inputs.of('malformed')
    expect(faults.map(({ reason }) => reason)).toEqual(garbage.map(() => 'malformed'))
    await expectUnharmed(scene)
  })

  it('who promises 4 GiB is refused before any memory is asked for', async () => {
    const scene = await siege()
    const before = process.memoryUsage().arrayBuffers
    for (let i = 0; i < 10; i++) {
      const prefix = Buffer.from(frame.subarray(0, 12))
      prefix.writeUInt32LE(0xffff_ffff, 8)
      const stream = await scene.open()
      stream.send(prefix)
      expect(await ended(stream)).toBe('reset')
    }
    expect(scene.victim.inputs.of('malformed').map(({ reason }) => reason)).toEqual(
      Array<string>(10).fill('too-large')
    )
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 24)
    await expectUnharmed(scene)
  })

  it('who vanishes inside a frame, wherever, is not reported', async () => {
    const scene = await siege()
    const cuts = [1, 11, 12, 13, 60, Math.floor(frame.length / 2), frame.length - 1]
    for (const cut of cuts) {
      const stream = await scene.open()
      stream.send(frame.subarray(0, cut))
      await stream.close()
      await ended(stream)
    }
    expect(scene.victim.body.status().framesTruncated).toBe(cuts.length)
    expect(scene.victim.inputs.of('malformed')).toEqual([])
    expect(scene.victim.inputs.of('message')).toEqual([])
    await expectUnharmed(scene)
  })

  it('whose connection breaks at 10, 50 or 90 % of a model leaves no trace of it', async () => {
    for (const share of [0.1, 0.5, 0.9]) {
      const { victim, stranger, open } = await siege()
      const stream = await open()
      stream.send(frame.subarray(0, Math.floor(frame.length * share)))
      const arrived = Promise.withResolvers<void>()
      const check = setInterval(() => {
        if (victim.body.status().bytesReceived > frame.length * share - 1) arrived.resolve()
      }, 5)
      await arrived.promise
      clearInterval(check)
      for (const connection of stranger.getConnections()) connection.abort(new Error('killed'))
      await victim.inputs.first('peerDown')
      expect(victim.inputs.of('message')).toEqual([])
      expect(victim.inputs.of('malformed')).toEqual([])
      expect(victim.body.status().framesTruncated).toBe(1)
    }
  })

  it('who appends junk to a frame is reset; the frame itself counts', async () => {
    const scene = await siege()
    const stream = await scene.open()
    stream.send(Buffer.concat([...encodeFrame(decline), Buffer.alloc(12, 0xff)]))
    expect(await ended(stream)).toBe('reset')
    const kinds = scene.victim.inputs.entries.map(({ kind }) => kind)
    expect(kinds.filter((kind) => kind === 'message' || kind === 'malformed')).toEqual([
      'message',
      'malformed'
    ])
  })

  it('who dribbles is cut off, and told apart from one who pauses between frames', async () => {
    const scene = await siege({ pace: { graceMs: 200, bytesPerSecondMin: 16_384 } })
    const patient = await startPeer()
    await connect(patient, scene.victim)
    patient.body.perform({ kind: 'send', to: scene.victim.id, message: decline })

    const stream = await scene.open()
    stream.send(frame.subarray(0, 100))
    const drip = setInterval(() => stream.send(frame.subarray(100, 101)), 20)
    stream.addEventListener('close', () => clearInterval(drip))
    expect(await ended(stream)).toBe('reset')
    expect(await scene.victim.events.first('peer-slow')).toMatchObject({
      peer: scene.stranger.peerId.toString()
    })
    expect(scene.victim.inputs.of('malformed')).toEqual([])

    // More than the grace has passed since its last frame, on the same stream.
    patient.body.perform({ kind: 'send', to: scene.victim.id, message: decline })
    const { inputs } = scene.victim
    await inputs.first('message', () => inputs.of('message').length === 2)
    expect(patient.events.of('send-failed')).toEqual([])
  })

  it('who opens many streams holds one, and costs one model', async () => {
    const { victim, open } = await siege()
    const first = await open()
    first.send(frame.subarray(0, 1000))
    const second = await open()
    second.send(frame)
    expect(await ended(first)).toBe('reset')
    await victim.inputs.first('message')
    expect(victim.inputs.of('message').length).toBe(1)
  })
})

describe('a peer that never reads', () => {
  it('is given up on in its turn, while others are served', async () => {
    const ana = await startPeer({ pace: { graceMs: 300, bytesPerSecondMin: 16_384 } })
    const deaf = await startNode()
    await deaf.handle(framesProtocol, (stream) => stream.pause())
    await ana.node.dial(deaf.getMultiaddrs()[0]!)
    const ben = await startPeer()
    await connect(ana, ben)
    const large = { ...update, parameters: new Float32Array(4_000_000) }

    ana.body.perform({ kind: 'send', to: deaf.peerId.toString(), message: large })
    ana.body.perform({ kind: 'send', to: ben.id, message: decline })

    await ben.inputs.first('message')
    expect(ana.events.of('send-failed')).toEqual([])
    const lost = await ana.events.first('send-failed')
    expect(lost).toMatchObject({ what: 'update', reason: 'the other end reads too slowly' })
  })

  it('costs a bounded queue: what may be missed goes first, then the connection', async () => {
    const ana = await startPeer({ outbox: { framesMax: 3, bytesMax: 1_000_000 } })
    const deaf = await startNode()
    await deaf.handle(framesProtocol, (stream) => stream.pause())
    await ana.node.dial(deaf.getMultiaddrs()[0]!)
    await ana.inputs.first('peerUp')
    const to = deaf.peerId.toString()
    const send = (message: Message) => ana.body.perform({ kind: 'send', to, message })

    send({ ...update, parameters: new Float32Array(4_000_000) }) // on its way out
    send(update) // 0.8 MB wait
    send({ ...update, exchange: 2 }) // no room for both
    expect(ana.events.of('send-failed').map(({ what }) => what)).toEqual(['update'])
    send({ kind: 'want', what: 'task', task: null })
    send({ kind: 'want', what: 'task', task: null })
    expect(ana.inputs.of('peerDown')).toEqual([])
    send({ kind: 'want', what: 'task', task: null }) // the other update makes way
    expect(ana.events.of('send-failed').map(({ what }) => what)).toEqual(['update', 'update'])
    send({ kind: 'want', what: 'task', task: null })
    await ana.inputs.first('peerDown')
  })
})

describe('a contact that lies', () => {
  it('about whose address it is reaches nobody', async () => {
    const [ana, ben, cleo] = await Promise.all([startPeer(), startPeer(), startPeer()])
    const lie = { peer: cleo.id, addresses: contactOf(ben).addresses }
    ana.body.perform({ kind: 'connect', contact: lie })
    expect((await ana.inputs.first('unreachable')).peer).toBe(cleo.id)
    expect(ana.inputs.of('peerUp')).toEqual([])
  })
})
