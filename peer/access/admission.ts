import { decode, encode } from '@ipld/dag-cbor'
import type { Connection, Stream } from '@libp2p/interface'
import { lpStream, type LengthPrefixedStream } from '@libp2p/utils'
import { z } from 'zod'
import { admissionBytesMax } from '../../src/core/limits.ts'
import type { Guard } from '../guarded.ts'
import type { StarlingNode } from '../network/network.ts'
import { reasonOf } from '../reason.ts'
import { decodeChain, encodeChain, type Chain } from './certificate.ts'
import { isRefusal, refusal, type Gate, type Refusal, type Verdict } from './gate.ts'

/**
 * How peers of a private swarm show each other what lets them in, before any frame is accepted.
 *
 *     who asks                     who is asked
 *     what lets me in      ──▶
 *                          ◀──     what lets me in, and my verdict on you
 *     my verdict on you    ──▶
 *
 * A private peer asks whoever is connected and speaks our frames. All answer, those in open swarms,
 * too: so that a peer that is refused learns why.
 */
export const admissionProtocol = '/starling/1/admission'

/** Streams that a peer may hold open to us: one in use, one still closing. */
const streamsMax = 2
/** For the whole exchange, in milliseconds. */
const exchangeMsMax = 10_000
/** How long an unknown peer may stay connected before it has shown anything, in milliseconds. */
const strangerMsMax = 20_000
/** Time between two looks at whose invitation has run out, in milliseconds. */
const lookMs = 60_000

export type AccessEvent =
  /** A peer is not let in: by us, or we by it. */
  {
    readonly kind: 'not-admitted'
    readonly peer: string
    readonly by: 'us' | 'them'
    readonly reason: Refusal
    readonly detail: string
  }

export interface AdmissionComponents {
  readonly node: StarlingNode
  readonly gate: Gate
  readonly guard: Guard
  /** It lets us in, and we let it in. */
  readonly onAdmitted: (peer: string) => void
  /** One of us does not let the other in; its connections are being closed. */
  readonly onRefused: (peer: string) => void
  readonly onEvent: (event: AccessEvent) => void
}

const verdictSchema = z.union([z.literal('in'), z.string().max(32).refine(isRefusal)])
const helloSchema = z.strictObject({ chain: z.unknown().optional() })
const answerSchema = z.strictObject({
  chain: z.unknown().optional(),
  verdict: verdictSchema,
  detail: z.string().max(300).optional()
})
const endSchema = z.strictObject({
  verdict: verdictSchema,
  detail: z.string().max(300).optional()
})

export class Admission {
  readonly #parts: AdmissionComponents
  readonly #strangers = new Map<Connection, NodeJS.Timeout>()
  readonly #asking = new Set<string>()
  /** Both ask, where both are private: one refusal is told once. */
  readonly #refused = new WeakSet<Connection>()
  /** Connected, and let in. */
  readonly #members = new Set<string>()
  #stopListening: (() => void)[] = []
  #looking: NodeJS.Timeout | undefined

  constructor(parts: AdmissionComponents) {
    this.#parts = parts
  }

  /** Before the node starts: whoever dials it must find it answering. */
  async start(): Promise<void> {
    const { node, guard, gate } = this.#parts
    const answer = guard.wrap('answering for admission', (stream: Stream, connection: Connection) =>
      this.#answer(stream, connection)
    )
    await node.handle(admissionProtocol, answer, { maxInboundStreams: streamsMax })
    const onClose = ({ detail }: CustomEvent<Connection>) => this.#forget(detail)
    this.#stopListening.push(guard.listen(node, 'connection:close', onClose))
    if (gate.mode !== 'invited') return
    const onOpen = ({ detail }: CustomEvent<Connection>) => this.#watch(detail)
    this.#stopListening.push(guard.listen(node, 'connection:open', onOpen))
    this.#looking = setInterval(
      guard.wrap('looking whose invitation ran out', () => this.review()),
      lookMs
    ).unref()
  }

  stop(): void {
    for (const stop of this.#stopListening) stop()
    for (const timer of this.#strangers.values()) clearTimeout(timer)
    this.#strangers.clear()
    clearInterval(this.#looking)
  }

  /** Whether frames of this peer are accepted. */
  isMember(peer: string): boolean {
    return this.#parts.gate.isMember(peer, Date.now())
  }

  /** A peer that speaks our frames is connected: it is admitted, or refused, in a while. */
  meet(connection: Connection): void {
    const { gate, guard, onAdmitted } = this.#parts
    const peer = connection.remotePeer.toString()
    if (gate.mode !== 'invited' && this.isMember(peer)) {
      this.#members.add(peer)
      return onAdmitted(peer)
    }
    if (this.#asking.has(peer)) return
    this.#asking.add(peer)
    guard.run('asking for admission', () =>
      this.#ask(connection, peer).finally(() => this.#asking.delete(peer))
    )
  }

  /** Who may be connected has changed, or time has passed. */
  review(): void {
    const { node, gate } = this.#parts
    for (const connection of node.getConnections()) {
      const peer = connection.remotePeer.toString()
      const wasMember = this.#members.has(peer)
      if (gate.mayConnect(peer) && (!wasMember || this.isMember(peer))) continue
      this.#members.delete(peer)
      connection.abort(new Error('no member of this private swarm any more'))
    }
  }

  // --- the exchange -----------------------------------------------------------------------------

  async #ask(connection: Connection, peer: string): Promise<void> {
    let theirs: Verdict | undefined
    let ours: Verdict | undefined
    try {
      const signal = AbortSignal.timeout(exchangeMsMax)
      const stream = await connection.newStream(admissionProtocol, { signal })
      const words = lpStream(stream, { maxDataLength: admissionBytesMax })
      await words.write(encode(this.#credentials()), { signal })
      const answer = answerSchema.parse(await read(words, signal))
      theirs = readVerdict(answer)
      ours = await this.#judge(peer, answer.chain)
      await words.write(encode(written(ours)), { signal })
      await stream.close({ signal })
    } catch {
      // It does not speak the protocol, broke off, or says what nobody understands.
      if (theirs?.isIn !== false && ours?.isIn !== false) {
        if (connection.status !== 'open') return this.#parts.onRefused(peer)
        ours = refusal('no-invitation')
      }
    }
    this.#settle(connection, peer, ours ?? { isIn: true }, theirs ?? { isIn: true })
  }

  async #answer(stream: Stream, connection: Connection): Promise<void> {
    const peer = connection.remotePeer.toString()
    let ours: Verdict | undefined
    try {
      const signal = AbortSignal.timeout(exchangeMsMax)
      const words = lpStream(stream, { maxDataLength: admissionBytesMax })
      const { chain } = helloSchema.parse(await read(words, signal))
      ours = await this.#judge(peer, chain)
      await words.write(encode({ ...this.#credentials(), ...written(ours) }), { signal })
      const theirs = readVerdict(endSchema.parse(await read(words, signal)))
      await stream.close({ signal })
      this.#settle(connection, peer, ours, theirs)
    } catch (failure) {
      stream.abort(new Error(reasonOf(failure)))
      // Whoever is refused may part before it has said what it makes of us.
      if (ours?.isIn === false) this.#settle(connection, peer, ours, { isIn: true })
    }
  }

  #credentials(): { readonly chain?: readonly unknown[] } {
    const { chain } = this.#parts.gate
    return chain === undefined ? {} : { chain: encodeChain(chain) }
  }

  async #judge(peer: string, shown: unknown): Promise<Verdict> {
    let chain: Chain | undefined
    if (shown !== undefined) {
      chain = decodeChain(shown)
      if (chain === undefined) return refusal('malformed')
    }
    return this.#parts.gate.admit(peer, chain, Date.now())
  }

  #settle(connection: Connection, peer: string, ours: Verdict, theirs: Verdict): void {
    const { onAdmitted, onEvent, gate } = this.#parts
    if (ours.isIn && theirs.isIn) {
      clearTimeout(this.#strangers.get(connection))
      if (connection.status !== 'open') return
      this.#members.add(peer)
      return onAdmitted(peer)
    }
    if (this.#refused.has(connection)) return
    this.#refused.add(connection)
    gate.parted(peer, Date.now())
    if (!ours.isIn) {
      onEvent({ kind: 'not-admitted', peer, by: 'us', reason: ours.reason, detail: ours.detail })
    }
    if (!theirs.isIn) {
      const { reason, detail } = theirs
      onEvent({ kind: 'not-admitted', peer, by: 'them', reason, detail })
    }
    this.#parts.onRefused(peer)
    if (!gate.isHelper(peer)) connection.close().catch(() => connection.abort(new Error('refused')))
  }

  // --- strangers --------------------------------------------------------------------------------

  /** Whoever comes to a private swarm shows soon what lets it in, or goes. */
  #watch(connection: Connection): void {
    const peer = connection.remotePeer.toString()
    if (connection.direction === 'outbound' || this.isMember(peer)) return
    const { gate, guard } = this.#parts
    const giveUp = guard.wrap('parting from a stranger', () => {
      this.#strangers.delete(connection)
      if (this.isMember(peer) || gate.isHelper(peer)) return
      connection.abort(new Error('no member of this private swarm'))
    })
    this.#strangers.set(connection, setTimeout(giveUp, strangerMsMax).unref())
  }

  #forget(connection: Connection): void {
    clearTimeout(this.#strangers.get(connection))
    this.#strangers.delete(connection)
    const peer = connection.remotePeer
    if (this.#parts.node.getConnections(peer).length === 0) this.#members.delete(peer.toString())
  }
}

async function read(words: LengthPrefixedStream<Stream>, signal: AbortSignal): Promise<unknown> {
  return decode((await words.read({ signal })).subarray())
}

function written(verdict: Verdict): { verdict: string; detail?: string } {
  return verdict.isIn ? { verdict: 'in' } : { verdict: verdict.reason, detail: verdict.detail }
}

function readVerdict({ verdict, detail = '' }: z.infer<typeof endSchema>): Verdict {
  if (verdict === 'in') return { isIn: true }
  return { isIn: false, reason: verdict, detail }
}
