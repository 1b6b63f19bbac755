import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { afterEach } from 'vitest'
import type { Machine } from '../../src/core/machine.ts'
import type { Gate } from '../../peer/access/gate.ts'
import { GossipManners } from '../../peer/discovery/announcements.ts'
import { libp2pBody, type BodyEvent, type BodyOptions, type Libp2pBody } from '../../peer/body.ts'
import type { Store, Trainer } from '../../peer/chores.ts'
import {
  createNetwork,
  startNetwork,
  type NetworkOptions,
  type StarlingNode
} from '../../peer/network/network.ts'
import type { ParticipantEffect, ParticipantInput } from '../../protocols/participant-io.ts'

/** Real nodes on loopback for tests; each is stopped when its test ends. */

/** Things that happened, in order, and a way to wait for one without polling. */
export class Journal<Entry extends { readonly kind: string }> {
  readonly entries: Entry[] = []
  readonly #waiting = new Set<() => void>()

  add(entry: Entry): void {
    this.entries.push(entry)
    for (const check of [...this.#waiting]) check()
  }

  of<Kind extends Entry['kind']>(kind: Kind): Extract<Entry, { kind: Kind }>[] {
    return this.entries.filter((entry) => entry.kind === kind) as Extract<Entry, { kind: Kind }>[]
  }

  /** The first entry of a kind that fits, past or future; rejects after the deadline. */
  async first<Kind extends Entry['kind']>(
    kind: Kind,
    fits: (entry: Extract<Entry, { kind: Kind }>) => boolean = () => true,
    deadlineMs = 20_000
  ): Promise<Extract<Entry, { kind: Kind }>> {
    const { promise, resolve, reject } = Promise.withResolvers<Extract<Entry, { kind: Kind }>>()
    const seen = this.entries.map(({ kind }) => kind)
    const timer = setTimeout(
      () => reject(new Error(`no fitting '${kind}' came; before: ${seen.join(' ')}`)),
      deadlineMs
    )
    const check = () => {
      const found = this.of(kind).find(fits)
      if (found !== undefined) resolve(found)
    }
    this.#waiting.add(check)
    check()
    return promise.finally(() => {
      clearTimeout(timer)
      this.#waiting.delete(check)
    })
  }
}

/** Writes down what it is told, and answers as its test or another machine says. */
export class Scribe implements Machine<ParticipantInput, ParticipantEffect> {
  readonly inputs = new Journal<ParticipantInput>()
  answer: (input: ParticipantInput, nowMs: number) => readonly ParticipantEffect[]

  constructor(machine?: Machine<ParticipantInput, ParticipantEffect>) {
    this.answer = (input, nowMs) => machine?.handle(input, nowMs) ?? []
  }

  handle(input: ParticipantInput, nowMs: number): readonly ParticipantEffect[] {
    this.inputs.add(input)
    return this.answer(input, nowMs)
  }
}

export interface Peer {
  readonly id: string
  readonly node: StarlingNode
  readonly body: Libp2pBody
  readonly scribe: Scribe
  readonly inputs: Journal<ParticipantInput>
  readonly events: Journal<BodyEvent>
  readonly manners: GossipManners
}

export interface PeerOptions extends Partial<BodyOptions> {
  readonly privateKey?: PrivateKey
  readonly listen?: string[]
  readonly trainer?: Trainer
  readonly store?: Store
  readonly gate?: Gate
  readonly network?: Partial<NetworkOptions>
  /** Who lives in the body; a scribe that does nothing by itself otherwise. */
  readonly machine?: (
    self: string,
    privateKey: PrivateKey
  ) => Machine<ParticipantInput, ParticipantEffect>
}

const idleTrainer: Trainer = {
  adopt: () => Promise.resolve(100),
  train: () => Promise.reject(new Error('nothing to train with')),
  merge: () => Promise.reject(new Error('nothing to merge')),
  evaluate: () => Promise.reject(new Error('nothing to look at'))
}
const forgetfulStore: Store = { save: () => Promise.resolve() }

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  await Promise.all(cleanups.splice(0).map((cleanup) => cleanup()))
})

/** A node without a body. */
export async function startNode(options: Partial<NetworkOptions> = {}): Promise<StarlingNode> {
  const node = await makeNode(options)
  await startNetwork(node)
  return node
}

async function makeNode(options: Partial<NetworkOptions>): Promise<StarlingNode> {
  const node = await createNetwork({
    privateKey: await generateKeyPair('Ed25519'),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    announce: [],
    datastorePath: null,
    gossipScore: () => 0,
    onTrouble: () => undefined,
    ...options
  })
  cleanups.push(async () => node.stop())
  return node
}

export async function startPeer(options: PeerOptions = {}): Promise<Peer> {
  const { listen, trainer, store, machine, gate, network, ...bodyOptions } = options
  const privateKey = options.privateKey ?? (await generateKeyPair('Ed25519'))
  const manners = new GossipManners(() => performance.now())
  const node = await makeNode({
    gossipScore: (peer) => manners.score(peer),
    privateKey,
    ...(listen === undefined ? {} : { listen }),
    ...(gate === undefined
      ? {}
      : { admits: (peer, isDialed) => (isDialed ? gate.mayDial(peer, 0) : gate.mayConnect(peer)) }),
    ...network
  })
  const scribe = new Scribe(machine?.(node.peerId.toString(), privateKey))
  const body = libp2pBody(bodyOptions)({
    node,
    machine: scribe,
    trainer: trainer ?? idleTrainer,
    store: store ?? forgetfulStore,
    manners,
    ...(gate === undefined ? {} : { gate }),
    ...(network?.rules === undefined ? {} : { rules: network.rules })
  })
  const events = new Journal<BodyEvent>()
  body.onEvent((event) => events.add(event))
  await body.start()
  cleanups.push(() => body.stop())
  return { id: body.self, node, body, scribe, inputs: scribe.inputs, events, manners }
}

/** `from` dials `to`; settles when both know. */
export async function connect(from: Peer, to: Peer): Promise<void> {
  from.body.perform({ kind: 'connect', contact: contactOf(to) })
  await Promise.all([
    from.inputs.first('peerUp', ({ peer }) => peer === to.id),
    to.inputs.first('peerUp', ({ peer }) => peer === from.id)
  ])
}

export function contactOf(peer: Peer): { peer: string; addresses: readonly string[] } {
  return { peer: peer.id, addresses: peer.body.status().addresses }
}
