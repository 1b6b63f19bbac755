import type { Connection } from '@libp2p/interface'
import { generateKey } from '@libp2p/pnet'
import * as library from '@libp2p/webrtc'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { sha256Hex } from '../../../src/core/digest.ts'
import { isWebRtc, stunServers } from '../../../peer/nat/webrtc.ts'
import { loadWebRtc } from '../../../peer/nat/webrtc-library.ts'
import type { Message } from '../../../protocols/messages.ts'
import { startNode, startPeer, type Peer } from '../swarm.ts'
import { tinyTask } from '../../tiny-task.ts'
import { startHelper, until } from './helper.ts'
import { offerOver, signalling } from './webrtc-offer.ts'

const withWebRtc = { network: { webrtc: library } }

/** Peers whom TCP does not bring together: on loopback no address is one to punch at. */
async function behindRelay() {
  const helper = await startHelper()
  const relay = helper.getMultiaddrs()[0]!
  const [ana, ben] = await Promise.all([startPeer(withWebRtc), startPeer(withWebRtc)])
  await Promise.all([ana.node.dial(relay), ben.node.dial(relay)])
  const isHeld = () => ben.node.getMultiaddrs().some((own) => own.toString().includes('circuit'))
  await until(ben.node, isHeld)
  const circuit = `${relay.toString()}/p2p-circuit`
  const contact = { peer: ben.id, addresses: [circuit] }
  const dial = () => ana.body.perform({ kind: 'connect', contact })
  return { ana, ben, circuit, dial }
}

/** Somebody who knows our signalling, and has no WebRTC. */
async function stranger(circuit: string, ben: Peer) {
  const node = await startNode({ discovers: false })
  const relayed = await node.dial(multiaddr(`${circuit}/p2p/${ben.id}`))
  return { node, relayed }
}

function viewsOf(peer: Peer, other: Peer) {
  return peer.body.status().connections.filter(({ peer: id }) => id === other.id)
}

/** Everything that libp2p ever took for a connection by WebRTC. */
function watchWebRtc({ node }: Peer): Connection[] {
  const seen: Connection[] = []
  node.addEventListener('connection:open', ({ detail }) => {
    if (isWebRtc(detail)) seen.push(detail)
  })
  return seen
}

describe('two peers whom a TCP punch does not bring together', () => {
  it('meet by WebRTC, and models of 8 MB pass both ways', async () => {
    const { ana, ben, dial } = await behindRelay()
    dial()

    await Promise.all([ana.inputs.first('peerUp'), ben.inputs.first('peerUp')])
    const told = await ana.events.first('connection', ({ path }) => path === 'punched')
    expect(told).toMatchObject({ peer: ben.id, by: 'webrtc', limited: false })
    await until(ana.node, () => viewsOf(ana, ben).length === 1)
    await until(ben.node, () => viewsOf(ben, ana).length === 1)
    expect(viewsOf(ben, ana)).toMatchObject([
      { kind: 'punched', by: 'webrtc', direction: 'inbound' }
    ])

    const parameters = Float32Array.from({ length: 2_000_000 }, (_, index) => index % 1000)
    const state: Message = {
      kind: 'state',
      ...{ round: 3, age: 4096, samples: 512, parameters },
      ...{ lineage: 'cd'.repeat(32), digest: 'ab'.repeat(32) }
    }
    for (const peer of [ana, ben]) {
      peer.body.perform({ kind: 'adopt', task: tinyTask(parameters.length) })
    }
    ana.body.perform({ kind: 'send', to: ben.id, message: state })
    ben.body.perform({ kind: 'send', to: ana.id, message: state })
    const received = await Promise.all([ana.inputs.first('message'), ben.inputs.first('message')])

    for (const { message } of received) {
      // Comparing numbers one by one would take the better part of a minute.
      expect(message.kind === 'state' && sha256Hex(message.parameters)).toBe(sha256Hex(parameters))
    }
    expect(ana.body.status()).toMatchObject({ framesLost: 0, framesTruncated: 0, bugs: 0 })
    expect(ana.inputs.of('peerDown')).toEqual([])
  }, 30_000)

  it('do not where one of them has not asked for it', async () => {
    const { ana, circuit } = await behindRelay()
    const helper = multiaddr(circuit.slice(0, -'/p2p-circuit'.length))
    const cleo = await startPeer()
    await cleo.node.dial(helper)
    await until(cleo.node, () => cleo.node.getMultiaddrs().join().includes('circuit'))
    ana.body.perform({ kind: 'connect', contact: { peer: cleo.id, addresses: [circuit] } })

    await ana.events.first('upgrade-failed', ({ peer }) => peer === cleo.id)
    await ana.inputs.first('unreachable', ({ peer }) => peer === cleo.id)
    expect(viewsOf(ana, cleo)).toMatchObject([{ kind: 'relayed', limited: true }])
  })
})

describe('a connection by WebRTC', () => {
  it('that nobody is at the other end of never counts, and is ended', async () => {
    const { ben, circuit } = await behindRelay()
    const seen = watchWebRtc(ben)
    const { relayed } = await stranger(circuit, ben)

    const { stream, answer } = await offerOver(relayed)
    expect(answer).toContain('a=ice-ufrag')
    stream.abort(new Error('gone'))
    await until(ben.node, () => seen.length === 1)
    expect(seen[0]).toMatchObject({ status: 'open', direct: true, limits: undefined })
    expect(ben.body.status().connections.filter(({ by }) => by === 'webrtc')).toEqual([])
    await until(ben.node, () => seen[0]!.status !== 'open', 10_000)

    expect(ben.node.getConnections().filter(isWebRtc)).toEqual([])
    expect(ben.events.of('connection').filter(({ by }) => by === 'webrtc')).toEqual([])
    expect(ben.body.status().bugs).toBe(0)
  })

  it('is answered on relayed connections alone, and not to whoever asks again and again', async () => {
    const { ben, circuit } = await behindRelay()
    const { node, relayed } = await stranger(circuit, ben)
    const own = ben.body.status().addresses.find((address) => !address.includes('circuit'))
    const direct = await node.dial(multiaddr(own), { force: true })

    expect((await offerOver(direct)).answer).toBeUndefined()
    const { stream, answer } = await offerOver(relayed)
    expect(answer).toBeDefined()
    stream.abort(new Error('gone'))
    expect((await offerOver(relayed)).answer).toBeUndefined()
  })

  it('is neither announced nor dialed by libp2p itself', async () => {
    const { ana, ben, circuit } = await behindRelay()

    expect(`${ben.node.getMultiaddrs().join()}`).not.toContain('webrtc')
    const address = multiaddr(`${circuit}/webrtc/p2p/${ben.id}`)
    await expect(ana.node.dial(address)).rejects.toThrow('no valid addresses')
  })

  it('is never made in a private swarm, which a swarm key does not protect there', async () => {
    const swarmKey = new Uint8Array(95)
    generateKey(swarmKey)
    for (const closed of [{ isPrivate: true }, { swarmKey }]) {
      const node = await startNode({ webrtc: library, ...closed })
      expect(node.services.webrtc).toBeUndefined()
      expect(node.getProtocols()).not.toContain(signalling)
    }
    const open = await startNode({ webrtc: library })
    expect(open.getProtocols()).toContain(signalling)
  })
})

describe('helpers that are asked how the world sees us', () => {
  const relayed = (host: string, direct = false) =>
    ({ direct, remoteAddr: multiaddr(`${host}/tcp/4001/p2p-circuit`) }) as unknown as Connection

  it('are those that our relayed connections pass, each once, and never anybody else', () => {
    expect(stunServers([])).toEqual([])
    expect(stunServers([relayed('/ip4/11.0.0.9', true)])).toEqual([])
    expect(
      stunServers([relayed('/ip4/11.0.0.1'), relayed('/ip4/11.0.0.1'), relayed('/ip6/2a0b::1')])
    ).toEqual(['stun:11.0.0.1:3478', 'stun:[2a0b::1]:3478'])
    const many = [1, 2, 3, 4].map((last) => relayed(`/ip4/11.0.0.${last}`))
    expect(stunServers(many).length).toBe(2)
  })
})

describe('the optional package', () => {
  const failing = (message: string, code: string) =>
    loadWebRtc(() => Promise.reject(Object.assign(new Error(message), { code })))

  it('is loaded where it is', async () => {
    expect(await loadWebRtc()).toMatchObject({ kind: 'loaded' })
  })

  it('may be absent, broken, or another than we know', async () => {
    const missing = "Cannot find package '@libp2p/webrtc' imported from /starling/peer/nat.js"
    expect(await failing(missing, 'ERR_MODULE_NOT_FOUND')).toMatchObject({ kind: 'absent' })
    const binding = "Cannot find package 'node-datachannel' imported from @libp2p/webrtc"
    expect(await failing(binding, 'ERR_MODULE_NOT_FOUND')).toMatchObject({ kind: 'broken' })
    const native = 'node_datachannel.node: wrong ELF class'
    expect(await failing(native, 'ERR_DLOPEN_FAILED')).toEqual({
      kind: 'broken',
      what: `installed, but cannot be loaded: ${native}`
    })
    expect(await loadWebRtc(() => Promise.resolve({} as never))).toMatchObject({ kind: 'broken' })
  })
})
