import type { PeerId } from '../../protocols/messages.ts'
import { announcersMax } from '../../src/core/limits.ts'

/** Another version of starling at the other end: neither reads the other's frames. */
export interface IncompatibleEvent {
  readonly kind: 'peer-incompatible'
  readonly peer: PeerId
  /** The protocols of both, such as `/starling/3/frames`. */
  readonly ours: string
  readonly theirs: string
}

/** Longer names are none that a version of ours will have. */
const framesPattern = /^\/starling\/\d{1,6}\/frames$/

/** Notices peers that speak frames of other versions only, each once: they come back again and again. */
export class FrameVersions {
  readonly #ours: string
  readonly #noticed = new Set<PeerId>()

  constructor(ours: string) {
    this.#ours = ours
  }

  /**
   * @param protocols - all that it speaks, by its own word
   * @returns undefined for a peer of our version, one that is none of ours, and one noticed before
   */
  check(peer: PeerId, protocols: readonly string[]): IncompatibleEvent | undefined {
    if (protocols.includes(this.#ours)) {
      this.#noticed.delete(peer)
      return undefined
    }
    const theirs = protocols.find((protocol) => framesPattern.test(protocol))
    if (theirs === undefined || this.#noticed.has(peer)) return undefined
    if (this.#noticed.size >= announcersMax) this.#noticed.clear()
    this.#noticed.add(peer)
    return { kind: 'peer-incompatible', peer, ours: this.#ours, theirs }
  }
}
