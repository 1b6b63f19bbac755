import type { Connection, PeerId, Stream } from '@libp2p/interface'
import { lpStream, type LengthPrefixedStream } from '@libp2p/utils'
import type { Multiaddr } from '@multiformats/multiaddr'
import {
  punchIntervalMsMin,
  punchMessageBytesMax,
  punchPeersMax,
  punchesAtOnceMax
} from '../../src/core/limits.ts'
import { answers } from '../network/answers.ts'
import { reasonOf } from '../reason.ts'
import type { Dialer, Role } from './dialer.ts'
import { addressOf, type Endpoint } from './endpoint.ts'
import { forgetOldest } from './forget.ts'
import { firstOf, knock, pause } from './knock.ts'
import {
  answerSchema,
  decode,
  encode,
  goSchema,
  meetingPlaces,
  requestSchema,
  type Refusal
} from './punch-messages.ts'

/** The libp2p protocol by which two peers behind routers agree to dial each other at once. */
export const punchProtocol = '/starling/1/punch'

export interface PunchOptions {
  /** Longest time for one message to come, in milliseconds. */
  readonly messageMsMax: number
  /** How long an older connection has to show that it is alive, in milliseconds. Shorter than that. */
  readonly aliveMsMax: number
  /** Times that both dial. A router that turns the first knock away may let the second one in. */
  readonly tries: number
  /** How long one try may take, besides six trips to the peer and back, in milliseconds. */
  readonly tryMs: number
  /** Between two tries: as long, and up to as much again by chance, in milliseconds. */
  readonly pauseMs: number
}

/**
 * Tries that nothing comes of, not even a refusal. The knock was then repeated and dropped throughout:
 * the other end's goes to another port than this one, and will the next time.
 */
const silencesMax = 2

export const punchDefaults: PunchOptions = {
  messageMsMax: 5_000,
  aliveMsMax: 2_000,
  tries: 6,
  tryMs: 1_500, // a lost SYN is sent again after one second
  pauseMs: 60
}

export interface PunchComponents {
  readonly self: string
  readonly dialer: Dialer
  readonly nowMs: () => number
  /** Where we hope to be met, as observers see us. */
  readonly candidates: () => readonly Endpoint[]
  readonly isAcceptable: (endpoint: Endpoint) => boolean
  /** An open connection to this peer that passes no relay. */
  readonly directTo: (peer: PeerId) => Connection | undefined
}

export type PunchOutcome =
  | { readonly kind: 'through'; readonly connection: Connection }
  | {
      readonly kind: 'failed'
      /** Of the two that are nobody's fault, `no-address` will not change with another try. */
      readonly reason: 'no-address' | 'not-through' | 'unsupported' | 'broken' | Refusal
    }

/**
 * Hole punching for TCP, by simultaneous open (RFC 5128, section 3.4; RFC 9293, section 3.5).
 *
 * Two peers that know each other only through a relay exchange the addresses that others see of
 * them, and dial each other at the same moment, each from the very port that those others saw. Each
 * router takes the other's knock for the answer to its own. There is no listener in it: both dial, so
 * they agree beforehand on who speaks first.
 *
 * Whoever dialed through the relay asks. When both ask at once, the one with the lower id is answered.
 */
export class Punch {
  readonly #parts: PunchComponents
  readonly #options: PunchOptions
  /** Peers with whom a meeting is under way, by us or by them. */
  readonly #running = new Map<string, Promise<PunchOutcome>>()
  /** When a peer last had us dial. */
  readonly #met = new Map<string, number>()
  readonly #made = new WeakSet<Connection>()
  /** Peers with whom it came to nothing, since it last came to something. */
  readonly #missed = new Set<string>()

  constructor(parts: PunchComponents, options: PunchOptions = punchDefaults) {
    this.#parts = parts
    this.#options = options
  }

  /** Whether this connection came about here. */
  made(connection: Connection): boolean {
    return this.#made.has(connection)
  }

  /** With how many peers it came to nothing, since it last came to something. */
  get missed(): number {
    return this.#missed.size
  }

  /** Ask the peer at the other end of a relayed connection to meet us half way. */
  request(relayed: Connection): Promise<PunchOutcome> {
    const peer = relayed.remotePeer.toString()
    const running = this.#running.get(peer)
    if (running !== undefined) return running
    if (this.#running.size >= punchesAtOnceMax) {
      return Promise.resolve({ kind: 'failed', reason: 'busy' })
    }
    return this.#run(peer, this.#ask(relayed))
  }

  /** Somebody asks us. Settles when it is over; a caller may abort the stream at any time. */
  async answer(stream: Stream, relayed: Connection): Promise<void> {
    const peer = relayed.remotePeer.toString()
    const words = new Words(stream, this.#options.messageMsMax)
    try {
      const request = decode(requestSchema, await words.read())
      if (request === undefined) throw new Error('not a request to meet')
      const refusal = (await this.#alreadyMet(relayed.remotePeer))
        ? 'already-direct'
        : this.#refusal(peer)
      if (refusal !== undefined) {
        await words.write(encode({ refused: refusal }))
        await stream.close()
        return
      }
      await this.#run(peer, this.#meetAsAnswer(words, relayed, request.addresses))
      await stream.close()
    } catch (failure) {
      stream.abort(asError(failure))
    }
  }

  /** Whoever asks has lost what it had, or never saw it: what we still have of it may be dead. */
  async #alreadyMet(peer: PeerId): Promise<boolean> {
    const direct = this.#parts.directTo(peer)
    if (direct === undefined) return false
    if (await answers(direct, this.#options.aliveMsMax)) return true
    direct.abort(new Error('its peer asks to be met anew, and does not answer on it'))
    return false
  }

  #refusal(id: string): Refusal | undefined {
    const { nowMs, self } = this.#parts
    const lastMs = this.#met.get(id) ?? -Infinity
    if (nowMs() - lastMs < punchIntervalMsMin) return 'too-soon'
    // Both asked: one of the two requests has to give way, and both sides know which.
    if (this.#running.has(id) && self < id) return 'busy'
    if (!this.#running.has(id) && this.#running.size >= punchesAtOnceMax) return 'busy'
    return undefined
  }

  #run(peer: string, meeting: Promise<PunchOutcome>): Promise<PunchOutcome> {
    const outcome = meeting
      .catch((): PunchOutcome => ({ kind: 'failed', reason: 'broken' }))
      .then((met) => {
        if (this.#running.get(peer) === outcome) this.#running.delete(peer)
        this.#learn(peer, met)
        return met
      })
    this.#running.set(peer, outcome)
    return outcome
  }

  #learn(peer: string, outcome: PunchOutcome): void {
    if (outcome.kind === 'through') this.#missed.clear()
    else if (outcome.reason === 'not-through') this.#missed.add(peer)
    forgetOldest(this.#missed, punchPeersMax)
  }

  async #ask(relayed: Connection): Promise<PunchOutcome> {
    const peer = relayed.remotePeer
    const own = this.#parts.candidates()
    if (own.length === 0) return { kind: 'failed', reason: 'no-address' }
    const stream = await this.#open(relayed)
    if (typeof stream === 'string') return { kind: 'failed', reason: stream }
    const words = new Words(stream, this.#options.messageMsMax)
    try {
      const startedMs = this.#parts.nowMs()
      await words.write(encode({ addresses: own.map(addressOf) }))
      const answer = decode(answerSchema, await words.read())
      const rttMs = this.#parts.nowMs() - startedMs
      if (answer === undefined) throw new Error('not an answer')
      if ('refused' in answer) return this.#refused(peer, answer.refused)
      const places = this.#places(peer, answer.addresses, own)
      if (places.length === 0) return { kind: 'failed', reason: 'no-address' }
      await words.write(encode({ go: true }))
      await pause(rttMs / 2)
      return await this.#meet(peer, places, 'initiator', rttMs)
    } catch (failure) {
      stream.abort(asError(failure))
      return { kind: 'failed', reason: 'broken' }
    } finally {
      // Whoever waits for a 'go' that will not come has this peer under way until then.
      await stream.close().catch(() => undefined)
    }
  }

  async #open(relayed: Connection): Promise<Stream | 'unsupported' | 'broken'> {
    try {
      const signal = AbortSignal.timeout(this.#options.messageMsMax)
      return await relayed.newStream(punchProtocol, { signal, runOnLimitedConnection: true })
    } catch (failure) {
      const isUnknown = failure instanceof Error && failure.name === 'UnsupportedProtocolError'
      return isUnknown ? 'unsupported' : 'broken'
    }
  }

  /** Refused because they have just come to us is as good. */
  #refused(peer: PeerId, reason: Refusal): PunchOutcome {
    const connection = this.#parts.directTo(peer)
    return connection === undefined ? { kind: 'failed', reason } : { kind: 'through', connection }
  }

  async #meetAsAnswer(
    words: Words,
    { remotePeer: peer }: Connection,
    claims: readonly string[]
  ): Promise<PunchOutcome> {
    const own = this.#parts.candidates()
    const places = this.#places(peer, claims, own)
    const answeredMs = this.#parts.nowMs()
    await words.write(encode({ addresses: places.length === 0 ? [] : own.map(addressOf) }))
    if (places.length === 0 || own.length === 0) return { kind: 'failed', reason: 'no-address' }
    if (decode(goSchema, await words.read()) === undefined) throw new Error('not a go')
    const id = peer.toString()
    this.#met.delete(id)
    this.#met.set(id, this.#parts.nowMs())
    forgetOldest(this.#met, punchPeersMax)
    return this.#meet(peer, places, 'responder', this.#parts.nowMs() - answeredMs)
  }

  #places(peer: PeerId, claims: readonly string[], own: readonly Endpoint[]): Multiaddr[] {
    return meetingPlaces(peer.toString(), claims, this.#parts.isAcceptable, own)
  }

  /** Dial all places at once, again and again, until one connection stands. */
  async #meet(
    peer: PeerId,
    places: readonly Multiaddr[],
    role: Role,
    rttMs: number
  ): Promise<PunchOutcome> {
    const tryMs = this.#options.tryMs + 6 * rttMs
    let silences = 0
    for (let attempt = 0; attempt < this.#options.tries && silences < silencesMax; attempt++) {
      if (attempt > 0) await pause(this.#options.pauseMs * (1 + Math.random()))
      const direct = this.#parts.directTo(peer)
      if (direct !== undefined) return { kind: 'through', connection: direct }
      const startedMs = this.#parts.nowMs()
      const connection = await this.#try(peer, places, role, tryMs)
      if (connection !== undefined) return { kind: 'through', connection }
      if (this.#parts.nowMs() - startedMs >= tryMs / 2) silences++
    }
    return { kind: 'failed', reason: 'not-through' }
  }

  async #try(
    peer: PeerId,
    places: readonly Multiaddr[],
    role: Role,
    ms: number
  ): Promise<Connection | undefined> {
    const { dialer } = this.#parts
    const knocks = places.map((place) =>
      knock(ms, async (signal) => {
        const connection = await dialer.meet(peer, place, role, signal)
        this.#made.add(connection)
        return connection
      })
    )
    const connection = await firstOf(knocks)
    // One end alone puts an end to the others: else each could break what the other one chose.
    if (role === 'initiator') for (const { giveUp } of knocks) giveUp()
    return connection
  }
}

function asError(failure: unknown): Error {
  return failure instanceof Error ? failure : new Error(reasonOf(failure))
}

/** Messages on one stream, each read and written within a time. */
class Words {
  readonly #stream: LengthPrefixedStream
  readonly #msMax: number

  constructor(stream: Stream, msMax: number) {
    this.#stream = lpStream(stream, { maxDataLength: punchMessageBytesMax })
    this.#msMax = msMax
  }

  async read(): Promise<Uint8Array> {
    const data = await this.#stream.read({ signal: AbortSignal.timeout(this.#msMax) })
    return data.subarray()
  }

  async write(bytes: Uint8Array): Promise<void> {
    await this.#stream.write(bytes, { signal: AbortSignal.timeout(this.#msMax) })
  }
}
