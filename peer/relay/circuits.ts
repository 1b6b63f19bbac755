import type { Connection, Libp2p, PeerId, Stream } from '@libp2p/interface'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { lpStream, type LengthPrefixedStream } from '@libp2p/utils'
import { decode as decodeMultihash } from 'multiformats/hashes/digest'
import type { Guard } from '../guarded.ts'
import type { Budget } from './budget.ts'
import {
  circuitMessageBytesMax,
  circuitStatus,
  decodeHopRequest,
  decodeStopStatus,
  encodeHopStatus,
  encodeStopConnect,
  hopProtocol,
  stopProtocol,
  type CircuitLimit,
  type CircuitStatus
} from './circuit-messages.ts'
import { Places } from './gate.ts'
import type { RelayLimits } from './limits.ts'
import { placeOf, type Place } from '../network/place.ts'
import { pump, type Pump } from './pump.ts'
import { Tally, type Cut, type Refusal } from './refusals.ts'

/** For a request to arrive and be answered, the other peer's part included, in milliseconds. */
const requestMsMax = 15_000
/** Life of a reservation that is not renewed. Clients renew ten minutes before its end. */
const reservationMs = 3_600_000
/** Relayed connections of one peer at once, as the one who asked. */
const circuitsPerPeerMax = 16
/** Streams of one peer that ask for something at once; open relayed connections count, too. */
const hopStreamsMax = 32
/** And to one peer. */
const stopStreamsMax = 128
/** How often it is looked whether relayed connections have to go, in milliseconds. */
const lookMs = 1_000

export type CircuitEvent =
  | { readonly kind: 'reserved'; readonly peer: string }
  /** Its reservation is over: it is gone, or has not renewed it. */
  | { readonly kind: 'released'; readonly peer: string }
  | { readonly kind: 'circuit-opened'; readonly from: string; readonly to: string }
  | {
      readonly kind: 'circuit-closed'
      readonly from: string
      readonly to: string
      readonly bytes: number
      /** Null when one of the two ended it. */
      readonly cut: Cut | null
    }

export interface CircuitParts {
  readonly node: Pick<Libp2p, 'handle' | 'unhandle' | 'getConnections' | 'getMultiaddrs'>
  readonly guard: Guard
  readonly limits: RelayLimits
  readonly budget: Budget
  readonly refused: Tally<Refusal>
  readonly nowMs: () => number
  /** Resident memory, in bytes. */
  readonly memoryBytes: () => number
  readonly onEvent: (event: CircuitEvent) => void
}

interface Reservation {
  readonly place: Place
  expiresMs: number
  /** Relayed to and from this peer, in all its circuits. */
  bytes: number
}

interface Circuit {
  readonly from: string
  readonly to: string
  readonly openedMs: number
  bytes: number
  cut: Cut | null
  pump: Pump | undefined
}

/**
 * A circuit relay v2: lends its address to peers that nobody can connect to.
 *
 * Not @libp2p/circuit-relay-v2's own server, which passes bytes on without looking whether the
 * receiver takes them: a fast sender and a slow receiver fill its memory. It also holds reservations
 * of peers that are gone, and tells limits of time in milliseconds to clients that read seconds.
 */
export class Circuits {
  readonly #parts: CircuitParts
  readonly #reservations = new Map<string, Reservation>()
  readonly #places = new Places()
  readonly #circuits = new Set<Circuit>()
  readonly cuts = new Tally<Cut>()
  #opened = 0
  #timer: NodeJS.Timeout | undefined

  constructor(parts: CircuitParts) {
    this.#parts = parts
  }

  get reservations(): number {
    return this.#reservations.size
  }

  get open(): number {
    return this.#circuits.size
  }

  /** Since we live. */
  get opened(): number {
    return this.#opened
  }

  /** @returns what was relayed to and from a peer with a reservation, in bytes */
  bytesOf(peer: string): number | undefined {
    return this.#reservations.get(peer)?.bytes
  }

  /** What every relayed connection may have; undefined for no limits at all. */
  get limit(): CircuitLimit | undefined {
    const { bytesPerCircuit: bytes, secondsPerCircuit: seconds } = this.#parts.limits
    return Number.isFinite(bytes) || Number.isFinite(seconds) ? { bytes, seconds } : undefined
  }

  async start(): Promise<void> {
    const { node, guard } = this.#parts
    await node.handle(hopProtocol, guard.wrap('a relay request', this.#onHop.bind(this)), {
      maxInboundStreams: hopStreamsMax
    })
    this.#timer = setInterval(
      guard.wrap('looking after relayed connections', () => this.#look()),
      lookMs
    )
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    for (const { pump } of this.#circuits) pump?.cut('the relay stops')
    await this.#parts.node.unhandle(hopProtocol)
  }

  /** A peer's last connection is gone, and with it what it had reserved. */
  peerDown(peer: string): void {
    const reservation = this.#reservations.get(peer)
    if (reservation === undefined) return
    this.#reservations.delete(peer)
    this.#places.remove(reservation.place)
    this.#parts.onEvent({ kind: 'released', peer })
  }

  async #onHop(stream: Stream, connection: Connection): Promise<void> {
    const messages = lpStream(stream, {
      maxDataLength: circuitMessageBytesMax,
      maxBufferSize: 2 * circuitMessageBytesMax
    })
    const signal = AbortSignal.timeout(requestMsMax)
    try {
      const request = decodeHopRequest((await messages.read({ signal })).subarray())
      switch (request?.kind) {
        case 'reserve':
          return await this.#reserve(messages, connection, signal)
        case 'connect':
          return await this.#connect(messages, request.peer, stream, connection, signal)
        case undefined:
          return await this.#refuse(messages, 'malformed', signal)
      }
    } catch (failure) {
      // Whoever asks and does not wait for the answer, or asks for more than a request may have.
      stream.abort(failure instanceof Error ? failure : new Error('the stream ended'))
    }
  }

  async #refuse(
    messages: LengthPrefixedStream<Stream>,
    why: Refusal,
    signal: AbortSignal
  ): Promise<void> {
    this.#parts.refused.add(why)
    await messages.write(encodeHopStatus(statusOf[why] ?? circuitStatus.permissionDenied), {
      signal
    })
    await messages.unwrap().close({ signal })
  }

  async #reserve(
    messages: LengthPrefixedStream<Stream>,
    connection: Connection,
    signal: AbortSignal
  ): Promise<void> {
    const peer = connection.remotePeer.toString()
    const place = placeOf(connection.remoteAddr)
    const why = this.#whyNotReserve(peer, place)
    if (why !== undefined || place === undefined) {
      return this.#refuse(messages, why ?? 'no-ip', signal)
    }
    const expires = Date.now() + reservationMs
    const held = this.#reservations.get(peer)
    if (held === undefined) {
      this.#reservations.set(peer, {
        place,
        expiresMs: this.#parts.nowMs() + reservationMs,
        bytes: 0
      })
      this.#places.add(place)
    } else {
      held.expiresMs = this.#parts.nowMs() + reservationMs
    }
    const addresses = this.#parts.node.getMultiaddrs().map(({ bytes }) => bytes)
    const granted = { expires: Math.round(expires / 1_000), addresses }
    await messages.write(
      encodeHopStatus(circuitStatus.ok, { reservation: granted, limit: this.limit }),
      { signal }
    )
    await messages.unwrap().close({ signal })
    if (held === undefined) this.#parts.onEvent({ kind: 'reserved', peer })
  }

  #whyNotReserve(peer: string, place: Place | undefined): Refusal | undefined {
    if (place === undefined) return 'no-ip'
    if (this.#reservations.has(peer)) return undefined // it only renews
    const { limits, memoryBytes } = this.#parts
    if (this.#reservations.size >= limits.reservations) return 'reservations'
    if (this.#places.ofHost(place) >= limits.perIp) return 'reservations-per-ip'
    if (this.#places.ofSubnet(place) >= limits.perSubnet) return 'reservations-per-subnet'
    return memoryBytes() > limits.memoryBytes ? 'memory' : undefined
  }

  async #connect(
    messages: LengthPrefixedStream<Stream>,
    multihash: Uint8Array,
    stream: Stream,
    connection: Connection,
    signal: AbortSignal
  ): Promise<void> {
    const from = connection.remotePeer
    const to = peerOf(multihash)
    if (to === undefined) return this.#refuse(messages, 'malformed', signal)
    const why = this.#whyNotConnect(from.toString(), to.toString())
    if (why !== undefined) return this.#refuse(messages, why, signal)

    // Counted from here on: many that are being opened at once are as many as those that are open.
    const circuit: Circuit = {
      from: from.toString(),
      to: to.toString(),
      openedMs: this.#parts.nowMs(),
      bytes: 0,
      cut: null,
      pump: undefined
    }
    this.#circuits.add(circuit)
    try {
      const other = await this.#ask(to, from, signal)
      if (other === undefined) {
        this.#circuits.delete(circuit)
        return await this.#refuse(messages, 'unreachable', signal)
      }
      await messages.write(encodeHopStatus(circuitStatus.ok, { limit: this.limit }), { signal })
      messages.unwrap()
      this.#join(circuit, stream, other)
    } catch (failure) {
      this.#circuits.delete(circuit)
      throw failure
    }
  }

  #whyNotConnect(from: string, to: string): Refusal | undefined {
    const { limits, budget, memoryBytes, nowMs } = this.#parts
    if (!this.#reservations.has(to)) return 'no-reservation'
    if (budget.isSpent(nowMs())) return 'bytes-per-day'
    if (this.#circuits.size >= limits.circuits) return 'circuits'
    if (memoryBytes() > limits.memoryBytes) return 'memory'
    let ofPeer = 0
    for (const circuit of this.#circuits) if (circuit.from === from) ofPeer++
    return ofPeer >= circuitsPerPeerMax ? 'circuits-per-peer' : undefined
  }

  /** Ask whether a peer wants to be connected to. @returns undefined when it does not, or is silent */
  async #ask(to: PeerId, from: PeerId, signal: AbortSignal): Promise<Stream | undefined> {
    const connection = this.#parts.node.getConnections(to).find(({ status }) => status === 'open')
    let stream: Stream | undefined
    try {
      stream = await connection?.newStream(stopProtocol, {
        maxOutboundStreams: stopStreamsMax,
        signal
      })
      if (stream === undefined) return undefined
      const messages = lpStream(stream, {
        maxDataLength: circuitMessageBytesMax,
        maxBufferSize: 2 * circuitMessageBytesMax
      })
      await messages.write(encodeStopConnect(from.toMultihash().bytes, this.limit), { signal })
      const status = decodeStopStatus((await messages.read({ signal })).subarray())
      if (status === circuitStatus.ok) return messages.unwrap()
    } catch {
      // It does not speak the protocol, or is gone: whoever asked is told that it is not reachable.
    }
    stream?.abort(new Error('not connected'))
    return undefined
  }

  #join(circuit: Circuit, a: Stream, b: Stream): void {
    const { from, to } = circuit
    if (a.status !== 'open' || b.status !== 'open') {
      a.abort(new Error('the other end went away'))
      b.abort(new Error('the other end went away'))
      this.#circuits.delete(circuit)
      return
    }
    this.#opened++
    circuit.pump = pump(a, b, {
      guard: this.#parts.guard,
      meter: (bytes) => this.#meter(circuit, bytes),
      onEnd: () => {
        this.#circuits.delete(circuit)
        this.#parts.onEvent({
          kind: 'circuit-closed',
          from,
          to,
          bytes: circuit.bytes,
          cut: circuit.cut
        })
      }
    })
    this.#parts.onEvent({ kind: 'circuit-opened', from, to })
  }

  #meter(circuit: Circuit, bytes: number): number | undefined {
    const { limits, budget, nowMs } = this.#parts
    if (circuit.bytes + bytes > limits.bytesPerCircuit) return this.#cut(circuit, 'bytes')
    if (budget.isSpent(nowMs())) return this.#cut(circuit, 'bytes-per-day')
    circuit.bytes += bytes
    for (const peer of [circuit.from, circuit.to]) {
      const reservation = this.#reservations.get(peer)
      if (reservation !== undefined) reservation.bytes += bytes
    }
    return budget.spend(bytes, nowMs())
  }

  #cut(circuit: Circuit, why: Cut): undefined {
    circuit.cut = why
    this.cuts.add(why)
    circuit.pump?.cut(`the relay's limit: ${why}`)
    return undefined
  }

  /** What no byte tells of: time that is up, reservations that ended, memory that runs out. */
  #look(): void {
    const { limits, nowMs, memoryBytes } = this.#parts
    const now = nowMs()
    for (const circuit of [...this.#circuits]) {
      if (circuit.pump === undefined) continue // its request has a deadline of its own
      if (now - circuit.openedMs >= limits.secondsPerCircuit * 1_000) this.#cut(circuit, 'minutes')
    }
    for (const [peer, { expiresMs }] of [...this.#reservations]) {
      if (now >= expiresMs) this.peerDown(peer)
    }
    // Newcomers are refused from the bound on. When it still grows, what holds most goes.
    if (memoryBytes() <= limits.memoryBytes * memoryExcess) return
    const [largest] = [...this.#circuits]
      .filter(({ pump }) => pump !== undefined)
      .sort((a, b) => b.bytes - a.bytes)
    if (largest !== undefined) this.#cut(largest, 'memory')
  }
}

/** Above the bound by so much, relayed connections go, one a second. */
const memoryExcess = 1.25

const statusOf: Readonly<Partial<Record<Refusal, CircuitStatus>>> = {
  malformed: circuitStatus.malformedMessage,
  reservations: circuitStatus.reservationRefused,
  'reservations-per-ip': circuitStatus.reservationRefused,
  'reservations-per-subnet': circuitStatus.reservationRefused,
  memory: circuitStatus.resourceLimitExceeded,
  circuits: circuitStatus.resourceLimitExceeded,
  'circuits-per-peer': circuitStatus.resourceLimitExceeded,
  'bytes-per-day': circuitStatus.resourceLimitExceeded,
  'no-reservation': circuitStatus.noReservation,
  unreachable: circuitStatus.connectionFailed
}

function peerOf(multihash: Uint8Array): PeerId | undefined {
  try {
    return peerIdFromMultihash(decodeMultihash(multihash))
  } catch {
    return undefined
  }
}
