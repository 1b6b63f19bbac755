import type { Stream } from '@libp2p/interface'
import { outboxBytesMax, outboxFramesMax, writeChunkBytes } from '../src/core/limits.ts'
import type { Message } from '../protocols/messages.ts'
import { encodeFrame } from '../protocols/wire.ts'
import type { Guard } from './guarded.ts'
import { PaceWatch, type Pace } from './pace.ts'

export interface OutboxOptions {
  readonly framesMax: number
  readonly bytesMax: number
}

export const outboxDefaults: OutboxOptions = {
  framesMax: outboxFramesMax,
  bytesMax: outboxBytesMax
}

export interface OutboxComponents {
  readonly guard: Guard
  readonly pace: Pace
  readonly nowMs: () => number
  /** A new stream to the peer, on whichever of its connections is best. */
  readonly open: () => Promise<Stream>
  readonly onBytes: (bytes: number) => void
  /** A frame was not sent, for this reason. */
  readonly onLost: (message: Message, failure: unknown) => void
}

interface Waiting {
  readonly message: Message
  readonly pieces: readonly Uint8Array[]
  readonly bytes: number
}

/**
 * What waits to be sent to one peer, and the stream that it leaves on.
 *
 * One long-lived stream a direction, not one stream a frame: it keeps frames in order (a hello comes
 * before all else) and pays for negotiation, and for libp2p's note about the peer, only once.
 */
export class Outbox {
  readonly #parts: OutboxComponents
  readonly #options: OutboxOptions
  readonly #queue: Waiting[] = []
  #queuedBytes = 0
  #stream: Stream | undefined
  #isStale = false
  #pumping: Promise<void> | undefined
  #closed = false

  constructor(parts: OutboxComponents, options: OutboxOptions) {
    this.#parts = parts
    this.#options = options
  }

  /**
   * Put a message into the queue.
   * @returns false when there is no room for it, even without what may be missed: a peer that far
   *   behind is better disconnected
   */
  send(message: Message): boolean {
    if (this.#closed) return true
    const pieces = encodeFrame(message)
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0)
    while (this.#isFull(bytes)) {
      const droppable = this.#queue.findIndex(({ message }) => mayBeMissed(message))
      if (droppable === -1) return false
      this.#drop(droppable)
    }
    this.#queue.push({ message, pieces, bytes })
    this.#queuedBytes += bytes
    this.#startPump()
    return true
  }

  /**
   * Send what waits and close the stream. Settles when the other end has read all of it, or cannot
   * any more: its own end closes only after ours has been read to the last byte.
   */
  async finish(): Promise<void> {
    await this.#pumping
    if (this.#stream?.status === 'open') await this.#readToTheEnd(this.#stream)
  }

  /**
   * A better connection is there: close the stream as finish() does, and open the next one anew. What
   * is sent meanwhile waits, so that no frame overtakes another one.
   */
  renew(): void {
    if (this.#stream === undefined || this.#closed) return
    this.#isStale = true
    this.#startPump()
  }

  /** Forget what waits and give the stream up. */
  abort(reason: string): void {
    this.#closed = true
    this.#queue.length = 0
    this.#queuedBytes = 0
    this.#stream?.abort(new Error(reason))
  }

  #isFull(bytes: number): boolean {
    if (this.#queue.length === 0) return false
    return (
      this.#queue.length >= this.#options.framesMax ||
      this.#queuedBytes + bytes > this.#options.bytesMax
    )
  }

  #drop(index: number): void {
    const [dropped] = this.#queue.splice(index, 1)
    if (dropped === undefined) return
    this.#queuedBytes -= dropped.bytes
    this.#parts.onLost(dropped.message, new Error('too much waits for this peer'))
  }

  #startPump(): void {
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = undefined
    })
  }

  async #pump(): Promise<void> {
    for (;;) {
      if (this.#isStale) await this.#leaveStream()
      const next = this.#take()
      if (next === undefined) return
      try {
        await this.#write(next)
      } catch (failure) {
        // Part of the frame may have left: the stream cannot be used for another one.
        this.#stream?.abort(new Error('a frame was not completed'))
        this.#stream = undefined
        if (!this.#isClosed()) this.#parts.onLost(next.message, failure)
      }
    }
  }

  async #leaveStream(): Promise<void> {
    const stream = this.#stream
    this.#isStale = false
    this.#stream = undefined
    if (stream?.status !== 'open') return
    const { guard, pace } = this.#parts
    const abort = guard.wrap('leaving a stream', () => stream.abort(new Error('read too slowly')))
    const timer = setTimeout(abort, pace.graceMs)
    await this.#readToTheEnd(stream)
      .catch(() => stream.abort(new Error('not closed in time')))
      .finally(() => clearTimeout(timer))
  }

  /** Close our end, and wait for the other end to close its own: then it has read everything. */
  async #readToTheEnd(stream: Stream): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const done = () => resolve()
    const { guard } = this.#parts
    const stops = ['remoteCloseWrite', 'close'].map((type) => guard.listen(stream, type, done))
    await stream.close()
    if (stream.remoteWriteStatus === 'closed') done()
    await promise.finally(() => stops.forEach((stop) => stop()))
  }

  #take(): Waiting | undefined {
    const next = this.#queue.shift()
    if (next !== undefined) this.#queuedBytes -= next.bytes
    return next
  }

  async #write({ pieces, bytes }: Waiting): Promise<void> {
    const stream = await this.#openStream()
    const watch = new PaceWatch(this.#parts.pace, this.#parts.nowMs())
    let sent = 0
    for (const piece of pieces) {
      for (let at = 0; at < piece.length; at += writeChunkBytes) {
        const chunk = piece.subarray(at, at + writeChunkBytes)
        stream.send(chunk)
        sent += chunk.length
        const handedOver = sent
        await this.#accepted(stream, () =>
          watch.isTooSlow(handedOver - stream.writeBufferLength, this.#parts.nowMs())
        )
      }
    }
    this.#parts.onBytes(bytes)
  }

  async #openStream(): Promise<Stream> {
    if (this.#stream?.writeStatus === 'writable' && this.#stream.status === 'open') {
      return this.#stream
    }
    const stream = await this.#parts.open()
    if (this.#isClosed()) {
      stream.abort(new Error('nothing is sent any more'))
      throw new Error('nothing is sent any more')
    }
    // This direction only carries our frames: whoever answers on it would fill a buffer of ours.
    this.#parts.guard.listen(stream, 'message', () => {
      stream.abort(new Error('the other end wrote where it should only read'))
    })
    this.#stream = stream
    return stream
  }

  /**
   * Settles when the stream has passed everything on.
   *
   * It waits for the event 'drain': libp2p's own onDrain() answers at once from its second use on.
   * A reader that opens its window a few bytes at a time makes many such events, and no progress.
   */
  async #accepted(stream: Stream, isTooSlowNow: () => boolean): Promise<void> {
    while (stream.writableNeedsDrain) {
      if (isTooSlowNow()) throw new Error('the other end reads too slowly')
      await this.#drainOrTick(stream)
    }
    if (stream.writeStatus !== 'writable') throw new Error('the other end closed the stream')
  }

  #drainOrTick(stream: Stream): Promise<void> {
    const { guard, pace } = this.#parts
    const { promise, resolve } = Promise.withResolvers<void>()
    const wake = () => resolve()
    const timer = setTimeout(wake, Math.ceil(pace.graceMs / 10))
    const stops = [guard.listen(stream, 'drain', wake), guard.listen(stream, 'close', wake)]
    return promise.finally(() => {
      clearTimeout(timer)
      for (const stop of stops) stop()
    })
  }

  #isClosed(): boolean {
    return this.#closed
  }
}

/** Messages after whose loss the protocol goes on by its deadlines, or that a newer one replaces. */
function mayBeMissed(message: Message): boolean {
  switch (message.kind) {
    case 'update':
    case 'state':
    case 'peers':
    case 'decline':
    case 'view':
    case 'ping':
    case 'pong':
      return true
    case 'hello':
    case 'want':
    case 'task':
    case 'leave':
      return false
  }
}
