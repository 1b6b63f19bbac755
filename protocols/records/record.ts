import { decode, encode } from '@ipld/dag-cbor'
import { z } from 'zod'
import {
  addressLengthMax,
  addressesPerContactMax,
  countMax,
  recordBytesMax,
  versionLengthMax
} from '../../src/core/limits.ts'
import type { PeerId } from '../messages.ts'

const count = z.int().nonnegative().max(countMax)
const recordSchema = z.object({
  peer: z.string().min(1).max(128),
  sequence: count,
  role: z.enum(['peer', 'helper']),
  task: z.string().min(1).max(128).nullable(),
  addresses: z.array(z.string().min(1).max(addressLengthMax)).max(addressesPerContactMax),
  version: z.string().max(versionLengthMax),
  round: count,
  age: count
})

/** What a peer says of itself. Others pass it on as it is: the newest that there is, and nothing older. */
export interface PeerRecord {
  readonly peer: PeerId
  /** Rises with every record of this peer, also from one life to the next. Tells no time. */
  readonly sequence: number
  /** A helper trains nothing: it knows who works on what, and tells those who ask. */
  readonly role: 'peer' | 'helper'
  /** CID of the task it works on; null for a helper, and before there is one. */
  readonly task: string | null
  readonly addresses: readonly string[]
  /** Of the program it runs; at most versionLengthMax characters. */
  readonly version: string
  /** Rounds finished, and samples its model has seen, when this was signed. */
  readonly round: number
  readonly age: number
}

/** Signs as one peer, and knows every peer's signature from its id. */
export interface Signer {
  /** @returns at most signatureBytesMax bytes, the same for the same bytes */
  sign(bytes: Uint8Array): Uint8Array
  /** Never throws: a peer whose id tells no key has signed nothing. */
  verify(peer: PeerId, bytes: Uint8Array, signature: Uint8Array): boolean
}

/** What is signed begins with this, so that no signature made for something else fits a record. */
const domain = new TextEncoder().encode('starling/record/1\n')

/**
 * A record as its peer signed it. What it says is always what its bytes say: there is no other way to make
 * one than to sign it, or to read it. Whether the signature is genuine has to be asked.
 */
export class SignedRecord {
  readonly record: PeerRecord
  readonly #signature: Uint8Array
  /** What is signed: the domain, and then the record's bytes. */
  readonly #signed: Uint8Array

  private constructor(record: PeerRecord, signed: Uint8Array, signature: Uint8Array) {
    this.record = record
    this.#signed = signed
    this.#signature = signature
  }

  /** Addresses that do not fit into recordBytesMax are left out, last first. */
  static sign(record: PeerRecord, signer: Pick<Signer, 'sign'>): SignedRecord {
    const bytes = encode(record)
    if (bytes.length > recordBytesMax && record.addresses.length > 0) {
      return SignedRecord.sign({ ...record, addresses: record.addresses.slice(0, -1) }, signer)
    }
    const signed = withDomain(bytes)
    return new SignedRecord(record, signed, signer.sign(signed))
  }

  /** @returns undefined for bytes that are no record. Both arrays are copied: they may be part of a frame. */
  static read(bytes: Uint8Array, signature: Uint8Array): SignedRecord | undefined {
    try {
      const record = recordSchema.safeParse(decode(bytes)).data
      return record && new SignedRecord(record, withDomain(bytes), new Uint8Array(signature))
    } catch {
      return undefined
    }
  }

  get bytes(): Uint8Array {
    return this.#signed.subarray(domain.length)
  }

  get signature(): Uint8Array {
    return this.#signature
  }

  /** Whether the peer that it speaks of signed it. Takes 0.2 ms with Ed25519. */
  isGenuine(signer: Pick<Signer, 'verify'>): boolean {
    return signer.verify(this.record.peer, this.#signed, this.#signature)
  }

  /**
   * Whether it takes the other's place: the last writer wins. Two of one number, by two lives that did not
   * know of each other, are told apart by their bytes, so that all come to keep the same.
   */
  supersedes(other: SignedRecord | undefined): boolean {
    if (other === undefined) return true
    const rise = this.record.sequence - other.record.sequence
    return rise > 0 || (rise === 0 && Buffer.compare(this.#signed, other.#signed) > 0)
  }

  /** Short: events are full of them. */
  toJSON(): string {
    const { peer, sequence, round } = this.record
    return `${peer} ${sequence} (round ${round})`
  }
}

function withDomain(bytes: Uint8Array): Uint8Array {
  const all = new Uint8Array(domain.length + bytes.length)
  all.set(domain)
  all.set(bytes, domain.length)
  return all
}
