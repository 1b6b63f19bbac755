import type { PeerId } from '../protocols/messages.ts'
import type { Signer } from '../protocols/records/record.ts'
import type { Random } from '../src/core/random.ts'

/**
 * Signatures of a simulated world. Like those of real keys they fit one peer and the very bytes that were
 * signed, and nobody can make those of others: that takes a secret which the notary keeps. They cost next to
 * nothing, and mean nothing outside.
 */
export class Notary {
  readonly #secret: number
  /** A thousand peers look at the same bytes, which nobody writes to. */
  readonly #known = new WeakMap<Uint8Array, { readonly peer: PeerId; readonly seal: Uint8Array }>()

  constructor(random: Random) {
    this.#secret = random.integer(2 ** 31)
  }

  signerOf(self: PeerId): Signer {
    return {
      sign: (bytes) => this.#seal(self, bytes),
      verify: (peer, bytes, signature) => Buffer.compare(this.#seal(peer, bytes), signature) === 0
    }
  }

  #seal(peer: PeerId, bytes: Uint8Array): Uint8Array {
    const known = this.#known.get(bytes)
    if (known?.peer === peer) return known.seal
    const seal = this.#sealAnew(peer, bytes)
    this.#known.set(bytes, { peer, seal })
    return seal
  }

  /** 64 bits: FNV-1a twice, from two beginnings. Against chance and lies, not against cryptographers. */
  #sealAnew(peer: PeerId, bytes: Uint8Array): Uint8Array {
    let [a, b] = [offsetBasis ^ this.#secret, offsetBasis + this.#secret]
    const mix = (value: number): void => {
      a = Math.imul(a ^ value, prime)
      b = Math.imul(b ^ value ^ (a >>> 15), prime)
    }
    for (let i = 0; i < peer.length; i++) mix(peer.charCodeAt(i))
    for (const byte of bytes) mix(byte)
    const seal = new Uint8Array(8)
    const view = new DataView(seal.buffer)
    view.setInt32(0, a, true)
    view.setInt32(4, b, true)
    return seal
  }
}

const offsetBasis = 0x811c9dc5
const prime = 0x01000193
