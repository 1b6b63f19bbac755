import { createSocket } from 'node:dgram'
import { StarlingError } from '../../../src/core/errors.ts'
import { reasonOf } from '../../reason.ts'
import { lifetimeSeconds, type Forwarder, type Lease, type Wish } from './forwarder.ts'
import {
  decodeAddressAnswer,
  decodeMapAnswer,
  encodeAddressQuestion,
  encodeMapQuestion,
  natPmpPort,
  refusalOf,
  type AddressAnswer,
  type MapAnswer,
  type MapQuestion
} from './nat-pmp-message.ts'

/** Waits for an answer before each next question: RFC 6886, 3.1, which goes on to 64 s. */
const waitsMs = [250, 500, 1_000, 2_000]
const unneeded = 'nobody waits for it any longer'

/** A router that speaks NAT-PMP. It forwards to the address that the question comes from. */
export class NatPmp implements Forwarder {
  readonly language = 'NAT-PMP'
  readonly host: string
  readonly port: number
  readonly at: string
  readonly #nowMs: () => number
  /** When it answered last, and how old it said to be. */
  #last: { readonly atMs: number; readonly epochSeconds: number } | undefined
  #restarted = false

  constructor(host: string, port = natPmpPort, nowMs = () => performance.now()) {
    this.host = host
    this.port = port
    this.at = `${host}:${port}`
    this.#nowMs = nowMs
  }

  /** Whether it speaks NAT-PMP, be it to refuse: it may have no network yet. */
  answers(signal?: AbortSignal): Promise<boolean> {
    return this.#askAddress(signal).then(
      () => true,
      () => false
    )
  }

  async externalIp(signal?: AbortSignal): Promise<string> {
    const answer = await this.#askAddress(signal)
    if (answer.externalIp === null) throw this.#refused(answer.result)
    return answer.externalIp
  }

  async forward(wish: Wish, signal?: AbortSignal): Promise<Lease> {
    const { granted, result } = await this.#map({ ...wish, lifetimeSeconds }, signal)
    if (granted === null) throw this.#refused(result)
    return granted
  }

  async release(wish: Wish, signal?: AbortSignal): Promise<void> {
    const end = { ...wish, externalPort: 0, lifetimeSeconds: 0 }
    const { granted, result } = await this.#map(end, signal)
    if (granted === null) throw this.#refused(result)
  }

  hasRestarted(): boolean {
    const restarted = this.#restarted
    this.#restarted = false
    return restarted
  }

  async #askAddress(signal: AbortSignal | undefined): Promise<AddressAnswer> {
    const answer = await this.#ask(encodeAddressQuestion(), decodeAddressAnswer, signal)
    this.#heard(answer.epochSeconds)
    return answer
  }

  async #map(question: MapQuestion, signal: AbortSignal | undefined): Promise<MapAnswer> {
    const decode = (bytes: Uint8Array) => decodeMapAnswer(bytes, question)
    const answer = await this.#ask(encodeMapQuestion(question), decode, signal)
    this.#heard(answer.epochSeconds)
    return answer
  }

  /** RFC 6886, 3.6: clocks may differ by an eighth, and by two seconds. */
  #heard(epochSeconds: number): void {
    const atMs = this.#nowMs()
    if (this.#last !== undefined) {
      const passedSeconds = (atMs - this.#last.atMs) / 1_000
      const expected = this.#last.epochSeconds + (7 / 8) * passedSeconds - 2
      if (epochSeconds < expected) this.#restarted = true
    }
    this.#last = { atMs, epochSeconds }
  }

  async #ask<Answer>(
    question: Uint8Array,
    decode: (bytes: Uint8Array) => Answer | undefined,
    signal?: AbortSignal
  ): Promise<Answer> {
    const isOver = (): boolean => signal?.aborted === true
    if (isOver()) throw this.#silent(unneeded)
    const socket = createSocket({ type: 'udp4', ...(signal && { signal }) })
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    let timer: NodeJS.Timeout | undefined
    const fail = (why: unknown): void => reject(this.#silent(reasonOf(why)))
    const send = (attempt: number): void => {
      const waitMs = waitsMs[attempt]
      if (waitMs === undefined) return fail('it does not speak NAT-PMP, or is off')
      socket.send(question, (error) => error !== null && fail(error))
      timer = setTimeout(() => send(attempt + 1), waitMs)
    }
    socket.on('error', fail)
    socket.on('close', () => fail(unneeded)) // the signal does that
    socket.on('message', (bytes) => {
      const answer = decode(bytes)
      if (answer !== undefined) resolve(answer)
    })
    // A connected socket hears nobody else, and learns at once that nobody is there.
    socket.connect(this.port, this.host, (error?: Error) => (error ? fail(error) : send(0)))
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      if (!isOver()) socket.close()
    }
  }

  #silent(why: string): StarlingError {
    return new StarlingError(
      'STARLING_UNREACHABLE',
      `no answer from the router at ${this.host}, UDP port ${this.port} (${why})`
    )
  }

  #refused(result: number): StarlingError {
    return new StarlingError(
      'STARLING_UNREACHABLE',
      `the router at ${this.host} refuses by NAT-PMP: ${refusalOf(result)}`
    )
  }
}
