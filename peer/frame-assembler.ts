import type { Layout } from '../src/learning/layout.ts'
import type { Message } from '../protocols/messages.ts'
import { decodeBody, decodePrefix, prefixBytes, type Prefix } from '../protocols/wire.ts'
import type { WireFault } from '../protocols/wire.ts'

/**
 * Cuts the bytes of a stream into frames, however the network cut them into pieces.
 *
 * It holds one frame at a time, in exactly the memory that the frame needs, and asks for that memory
 * only after the prefix has been found acceptable. So a stream costs at most one model, whatever its
 * sender does. After a fault it takes nothing more: where the next frame begins is unknown.
 */
export class FrameAssembler {
  readonly #layout: () => Layout | null
  #prefix: Prefix | undefined
  #target = new Uint8Array(prefixBytes)
  #filled = 0
  #faulty = false

  /** @param layout - of our task as it is now; null while we have none */
  constructor(layout: () => Layout | null) {
    this.#layout = layout
  }

  /** Bytes that have arrived of a frame that is not complete; 0 between frames. */
  get partialBytes(): number {
    return (this.#prefix === undefined ? 0 : prefixBytes) + this.#filled
  }

  /**
   * Take the next piece, of any size.
   * @returns what it completed, in order; a fault is the last
   */
  *push(piece: Uint8Array): Generator<Message | WireFault, void> {
    for (let at = 0; at < piece.length && !this.#faulty;) {
      const taken = piece.subarray(at, at + this.#target.length - this.#filled)
      this.#target.set(taken, this.#filled)
      this.#filled += taken.length
      at += taken.length
      if (this.#filled < this.#target.length) return
      const outcome = this.#complete()
      if (outcome === undefined) continue
      if (typeof outcome === 'string') this.#faulty = true
      yield outcome
    }
  }

  /** A prefix or a body is complete. */
  #complete(): Message | WireFault | undefined {
    if (this.#prefix === undefined) {
      const prefix = decodePrefix(this.#target, this.#layout())
      if (typeof prefix === 'string') return prefix
      this.#prefix = prefix
      this.#target = new Uint8Array(prefix.headerBytes + prefix.payloadBytes)
      this.#filled = 0
      return undefined
    }
    const [prefix, body] = [this.#prefix, this.#target]
    this.#prefix = undefined
    this.#target = new Uint8Array(prefixBytes)
    this.#filled = 0
    return decodeBody(prefix, body)
  }
}
