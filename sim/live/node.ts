import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { GossipManners } from '../../peer/discovery/announcements.ts'
import { libp2pBody, type Libp2pBody } from '../../peer/body.ts'
import type { Store, Trainer } from '../../peer/chores.ts'
import { createNetwork, type StarlingNode } from '../../peer/network/network.ts'
import type { ParticipantEffect, ParticipantInput } from '../../protocols/participant-io.ts'
import type { Machine } from '../../src/core/machine.ts'

/** How the nodes of one process reach each other. */
export const transports = ['memory', 'tcp'] as const
export type Transport = (typeof transports)[number]

/** Longest time for a dial, handshakes of a busy process included, in milliseconds. */
const dialMsMax = 30_000

export interface LiveNodeComponents {
  readonly privateKey: PrivateKey
  readonly transport: Transport
  /** Whom to be connected to. */
  readonly admits: (id: string) => boolean
  readonly machine: Machine<ParticipantInput, ParticipantEffect>
  readonly trainer: Trainer
  readonly store: Store
}

/** The identity of a peer: that of the same seed is the same in every run. */
export function keyOf(path: string): Promise<PrivateKey> {
  return generateKeyPairFromSeed('Ed25519', sha256(utf8ToBytes(path)))
}

/** Memory addresses are the whole process's. */
let addressesUsed = 0

/** A real node with the daemon's body, of which somebody else says whom it is connected to. */
export class LiveNode {
  readonly body: Libp2pBody
  readonly #node: StarlingNode

  private constructor(node: StarlingNode, body: Libp2pBody) {
    this.#node = node
    this.body = body
  }

  /** Not started. */
  static async create(components: LiveNodeComponents): Promise<LiveNode> {
    const { privateKey, transport, admits, machine, trainer, store } = components
    const manners = new GossipManners(() => performance.now())
    const listen =
      transport === 'tcp' ? '/ip4/127.0.0.1/tcp/0' : `/memory/starling-${addressesUsed++}`
    const node = await createNetwork({
      privateKey,
      listen: [listen],
      announce: [],
      datastorePath: null,
      gossipScore: (peer) => manners.score(peer),
      onTrouble: () => undefined,
      transport,
      discovers: false,
      admits
    })
    return new LiveNode(node, libp2pBody()({ node, machine, trainer, store, manners }))
  }

  get id(): string {
    return this.body.self
  }

  isConnected(other: string): boolean {
    return this.#node.getPeers().some((peer) => peer.toString() === other)
  }

  /** @throws when nobody answers there, or one of both does not want to */
  async dial(other: LiveNode): Promise<void> {
    const addresses = other.#node.getMultiaddrs().map((address) => multiaddr(address.toString()))
    await this.#node.dial(addresses, { signal: AbortSignal.timeout(dialMsMax) })
  }

  /** Break the connection from one moment to the next. */
  cut(other: string): void {
    for (const connection of this.#node.getConnections()) {
      if (connection.remotePeer.toString() === other) connection.abort(new Error('cut'))
    }
  }
}
