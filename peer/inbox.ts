import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import type { Layout } from '../src/learning/layout.ts'
import type { Message } from '../protocols/messages.ts'
import type { WireFault } from '../protocols/wire.ts'
import { FrameAssembler } from './frame-assembler.ts'
import type { Guard } from './guarded.ts'
import { PaceWatch, type Pace } from './pace.ts'

export interface InboxComponents {
  readonly stream: Stream
  readonly guard: Guard
  readonly layout: () => Layout | null
  readonly pace: Pace
  readonly nowMs: () => number
  readonly onBytes: (bytes: number) => void
  readonly onMessage: (message: Message) => void
  /** A frame was complete, this many milliseconds after its first bytes came. */
  readonly onFrame: (bytes: number, ms: number) => void
  /** The peer sent nonsense; the stream has been reset. */
  readonly onFault: (fault: WireFault) => void
  /** The stream ended inside a frame, which may be nobody's fault, or was cut for dribbling. */
  readonly onTruncated: (reason: 'ended' | 'slow') => void
}

/**
 * Reads the frames of one inbound stream.
 *
 * libp2p streams have no read backpressure worth the name: what arrives is taken at once and decoded
 * at once, so nothing piles up beyond the one frame that the assembler holds.
 */
export class Inbox {
  readonly #parts: InboxComponents
  readonly #assembler: FrameAssembler
  #frame = { bytes: 0, startMs: 0 }
  #paceTimer: NodeJS.Timeout | undefined
  #closed = false

  constructor(parts: InboxComponents) {
    this.#parts = parts
    this.#assembler = new FrameAssembler(parts.layout)
    const { guard, stream } = parts
    guard.listen(stream, 'close', () => this.#end())
    // Our end is closed only now: closing it first would make libp2p throw away bytes that arrive
    // together with the other end's goodbye.
    const onEnd = () => {
      this.#end()
      return stream.close({ signal: AbortSignal.timeout(parts.pace.graceMs) }).catch(() => {
        stream.abort(new Error('closing took too long'))
      })
    }
    guard.listen(stream, 'end', onEnd)
    if (stream.readableEnded) guard.run('the end of a stream', onEnd)
    guard.listen(stream, 'message', ({ data }: StreamMessageEvent) => {
      for (const piece of data instanceof Uint8Array ? [data] : data) this.#take(piece)
    })
  }

  /** Give the stream up; what it holds of a frame is forgotten without a word. */
  abort(reason: string): void {
    this.#closed = true
    clearInterval(this.#paceTimer)
    this.#parts.stream.abort(new Error(reason))
  }

  #take(piece: Uint8Array): void {
    if (this.#closed) return
    this.#parts.onBytes(piece.length)
    if (this.#assembler.partialBytes === 0) this.#frame = { bytes: 0, startMs: this.#parts.nowMs() }
    this.#frame.bytes += piece.length
    for (const outcome of this.#assembler.push(piece)) {
      clearInterval(this.#paceTimer)
      this.#paceTimer = undefined
      if (typeof outcome === 'string') {
        this.abort(`a ${outcome} frame`)
        this.#parts.onFault(outcome)
        return
      }
      this.#parts.onFrame(this.#frame.bytes, this.#parts.nowMs() - this.#frame.startMs)
      this.#parts.onMessage(outcome)
      // Handling a message may well have been our last deed on this stream.
      if (this.#isClosed()) return
    }
    if (this.#assembler.partialBytes > 0) this.#watchPace()
  }

  #watchPace(): void {
    if (this.#paceTimer !== undefined) return
    const { guard, pace, nowMs } = this.#parts
    const watch = new PaceWatch(pace, nowMs())
    const check = guard.wrap('the pace of a frame', () => {
      if (!watch.isTooSlow(this.#assembler.partialBytes, nowMs())) return
      this.abort('a frame arrives too slowly')
      this.#parts.onTruncated('slow')
    })
    this.#paceTimer = setInterval(check, Math.ceil(pace.graceMs / 10))
  }

  #end(): void {
    if (this.#closed) return
    this.#closed = true
    clearInterval(this.#paceTimer)
    if (this.#assembler.partialBytes > 0) this.#parts.onTruncated('ended')
  }

  #isClosed(): boolean {
    return this.#closed
  }
}
