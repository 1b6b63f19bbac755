import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { parseAllowList, nobody } from '../../../peer/access/allow-list.ts'
import type { Chain } from '../../../peer/access/certificate.ts'
import { Gate, type GateOptions } from '../../../peer/access/gate.ts'
import { accept, invite, type InvitationRequest } from '../../../peer/access/invitation.ts'
import { admissionProtocol } from '../../../peer/access/admission.ts'
import { framesProtocol } from '../../../peer/frames.ts'
import { tinyTask } from '../../tiny-task.ts'
import { contactOf, startNode, startPeer, type Peer } from '../swarm.ts'

/** Private swarms of real nodes: who becomes a peer, and what those learn who do not. */

const task = tinyTask(1).cid
const day = 86_400_000

interface Person {
  readonly key: Ed25519PrivateKey
  readonly id: string
}

async function person(): Promise<Person> {
  const key = await generateKeyPair('Ed25519')
  return { key, id: key.publicKey.toString() }
}

async function invited(
  guest: Person,
  by: Person,
  request: Partial<InvitationRequest> = {},
  own?: Chain
): Promise<Chain> {
  const invitation = await invite(
    ...([
      { task, subject: guest.id, days: 1, uses: 0, mayInvite: false, nowMs: Date.now(), ...request }
    ] as const),
    by.key,
    own
  )
  return accept(invitation, guest.id, request.nowMs ?? Date.now())
}

function gateOf(self: Person, options: Partial<GateOptions> = {}): Gate {
  return new Gate({
    ...{ self: self.id, mode: 'invited', task, allow: nobody, chain: undefined, helpers: [] },
    uses: new Map(),
    onUsed: () => undefined,
    ...options
  })
}

function start(who: Person, gate?: Gate): Promise<Peer> {
  return startPeer({ privateKey: who.key, ...(gate === undefined ? {} : { gate }) })
}

function meet(from: Peer, to: Peer): void {
  from.body.perform({ kind: 'connect', contact: contactOf(to) })
}

async function areUp(one: Peer, other: Peer): Promise<void> {
  await one.inputs.first('peerUp', ({ peer }) => peer === other.id)
  await other.inputs.first('peerUp', ({ peer }) => peer === one.id)
}

describe('a private swarm', () => {
  it('lets in who was invited by its founder, and has those meet who were', async () => {
    const [ana, ben, cleo] = [await person(), await person(), await person()]
    const anaPeer = await start(ana, gateOf(ana))
    const benPeer = await start(ben, gateOf(ben, { chain: await invited(ben, ana) }))
    const cleoPeer = await start(cleo, gateOf(cleo, { chain: await invited(cleo, ana) }))
    meet(benPeer, anaPeer)
    await areUp(benPeer, anaPeer)
    meet(anaPeer, cleoPeer)
    await areUp(anaPeer, cleoPeer)
    meet(cleoPeer, benPeer)
    await areUp(cleoPeer, benPeer)
    expect([...anaPeer.events.of('not-admitted'), ...benPeer.events.of('not-admitted')]).toEqual([])
  })

  it('refuses who has no invitation, both are told why, and no frame was heard', async () => {
    const [ana, eve] = [await person(), await person()]
    const anaPeer = await start(ana, gateOf(ana))
    const evePeer = await start(eve)
    meet(evePeer, anaPeer)
    expect(await anaPeer.events.first('not-admitted')).toMatchObject({
      ...{ peer: eve.id, by: 'us', reason: 'no-invitation' }
    })
    expect(await evePeer.events.first('not-admitted')).toMatchObject({
      ...{ peer: ana.id, by: 'them', reason: 'no-invitation' },
      detail: expect.stringContaining('private') as string
    })
    await evePeer.inputs.first('unreachable')
    expect(anaPeer.inputs.of('peerUp')).toEqual([])
    expect(anaPeer.inputs.of('message')).toEqual([])
  })

  it('tells of a stranger that parts before it has said what it makes of the refusal', async () => {
    const ana = await person()
    const anaPeer = await start(ana, gateOf(ana))
    const eve = await startNode()
    const connection = await eve.dial(anaPeer.node.getMultiaddrs())
    const stream = await connection.newStream(admissionProtocol)
    const answered = new Promise((resolve) => stream.addEventListener('message', resolve))
    stream.send(Uint8Array.of(1, 0xa0)) // its length, and a map of nothing
    await answered
    connection.abort(new Error('gone'))
    expect(await anaPeer.events.first('not-admitted')).toMatchObject({
      ...{ peer: eve.peerId.toString(), by: 'us', reason: 'no-invitation' }
    })
  })

  it('names both clocks when an invitation has run out', async () => {
    const [ana, ben] = [await person(), await person()]
    const old = await invited(ben, ana, { nowMs: Date.now() - 10 * day })
    const anaPeer = await start(ana, gateOf(ana))
    meet(await start(ben, gateOf(ben, { chain: old })), anaPeer)
    const today = new Date().toISOString().slice(0, 10)
    expect(await anaPeer.events.first('not-admitted')).toMatchObject({
      reason: 'expired',
      detail: expect.stringMatching(
        new RegExp(`ended on .*, and it is ${today} by the clock`)
      ) as string
    })
  })

  it('parts from a member that is denied from now on', async () => {
    const [ana, ben] = [await person(), await person()]
    const gate = gateOf(ana)
    const anaPeer = await start(ana, gate)
    const benPeer = await start(ben, gateOf(ben, { chain: await invited(ben, ana) }))
    meet(benPeer, anaPeer)
    await areUp(benPeer, anaPeer)
    gate.allow = parseAllowList(`deny ${ben.id}`, 'test')
    anaPeer.body.reviewAccess()
    await anaPeer.inputs.first('peerDown', ({ peer }) => peer === ben.id)
  })

  it('hears no frames before the invitation, whatever a stranger opens first', async () => {
    const ana = await person()
    const anaPeer = await start(ana, gateOf(ana))
    const eve = await startNode()
    const connection = await eve.dial(anaPeer.node.getMultiaddrs())
    const stream = await connection.newStream(framesProtocol)
    if (stream.status === 'open') stream.send(new Uint8Array(64))
    await expect.poll(() => stream.status).not.toBe('open')
    expect(anaPeer.inputs.of('peerUp')).toEqual([])
    expect(anaPeer.inputs.of('malformed')).toEqual([])
  })

  it.each([
    ['nothing', []],
    ['no bytes', [0]],
    ['garbage', [5, 1, 2, 3, 4, 5]],
    ['a length beyond all lengths', [255, 255, 255, 255, 127]],
    ['a word that is none', [4, 0xa1, 0x61, 0x61, 0x01]]
  ])('is not moved by %s in the admission protocol', async (_what, bytes) => {
    const ana = await person()
    const anaPeer = await start(ana, gateOf(ana))
    const eve = await startNode()
    const connection = await eve.dial(anaPeer.node.getMultiaddrs())
    const stream = await connection.newStream(admissionProtocol)
    const ended = new Promise((resolve) => stream.addEventListener('close', resolve))
    stream.send(Uint8Array.from(bytes))
    await stream.close()
    await ended
    expect(anaPeer.body.status().bugs).toBe(0)
    expect(anaPeer.inputs.of('peerUp')).toEqual([])
  })
})
