import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import type { Guard } from '../guarded.ts'

export interface PumpParts {
  readonly guard: Guard
  /**
   * Told before bytes are passed on.
   * @returns how long to read no more from where they came from, in milliseconds; undefined when
   *   they must not be passed on
   */
  readonly meter: (bytes: number) => number | undefined
  /** Both streams are over, or have been cut. Called once. */
  readonly onEnd: () => void
}

/** A pair of streams whose bytes are passed on, both ways. */
export interface Pump {
  /** End both at once. */
  cut(reason: string): void
}

/** For what was on its way to one end to be delivered when the other is gone, in milliseconds. */
const partingMs = 5_000

/**
 * Join two streams. A side that reads slowly makes the other side wait: what is in flight is bounded
 * by the windows of the two streams, whoever sends and however much.
 */
export function pump(a: Stream, b: Stream, parts: PumpParts): Pump {
  const stops: (() => void)[] = []
  const timers = new Set<NodeJS.Timeout>()
  let ended = false
  const end = (): void => {
    if (ended) return
    ended = true
    for (const stop of stops) stop()
    for (const timer of timers) clearTimeout(timer)
    parts.onEnd()
  }
  const cut = (reason: string): void => {
    const error = new Error(reason)
    a.abort(error)
    b.abort(error)
    end()
  }

  const flow = (from: Stream, to: Stream): void => {
    const valve = new Valve(from)
    const { guard } = parts
    const onMessage = ({ data }: StreamMessageEvent): void => {
      const waitMs = parts.meter(data.byteLength)
      if (waitMs === undefined || ended) return
      if (to.writeStatus !== 'writable') return cut('the other end takes no more')
      if (!to.send(data)) valve.close('full')
      if (waitMs <= 0) return
      valve.close('pace')
      const timer = setTimeout(
        guard.wrap('a held stream', () => {
          timers.delete(timer)
          valve.open('pace')
        }),
        waitMs
      )
      timers.add(timer)
    }
    const onClose = ({ error }: StreamCloseEvent): void => {
      if (error !== undefined) return cut(error.message)
      if (to.status !== 'open') return end()
      const timer = setTimeout(
        guard.wrap('a stream without its other end', () => cut('the other end went away')),
        partingMs
      )
      timers.add(timer)
    }
    stops.push(
      guard.listen(from, 'message', onMessage),
      guard.listen(to, 'drain', () => valve.open('full')),
      // When the last byte was passed on, not when the last one arrived: some may have to wait.
      guard.listen(from, 'end', () => to.close().catch(() => cut('the other end went away'))),
      guard.listen(from, 'close', onClose)
    )
  }
  flow(a, b)
  flow(b, a)
  return { cut }
}

/** Holds a stream back for as long as there is any reason to. */
class Valve {
  readonly #stream: Stream
  readonly #reasons = new Set<'full' | 'pace'>()

  constructor(stream: Stream) {
    this.#stream = stream
  }

  close(reason: 'full' | 'pace'): void {
    this.#reasons.add(reason)
    if (this.#stream.readStatus === 'readable') this.#stream.pause()
  }

  open(reason: 'full' | 'pace'): void {
    if (!this.#reasons.delete(reason) || this.#reasons.size > 0) return
    if (this.#stream.readStatus === 'paused') this.#stream.resume()
  }
}
