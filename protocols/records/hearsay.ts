import { checksPerSecondMax, checksPerTellerMax } from '../../src/core/limits.ts'
import { Frequency } from '../frequency.ts'
import type { Hello, PeerId, ToldRecord } from '../messages.ts'
import type { Rejection } from '../participant-io.ts'
import type { OwnRecord } from './own-record.ts'
import type { RecordBook } from './record-book.ts'
import type { PeerRecord, Signer } from './record.ts'

export interface HearsayComponents {
  readonly self: PeerId
  readonly signer: Signer
  readonly book: RecordBook
  readonly own: OwnRecord
}

/** What others tell of peers, on its way into the book: looked into where it is news, and no more often than we can afford. */
export class Hearsay {
  readonly #components: HearsayComponents
  readonly #checksOfTeller = new Frequency(checksPerTellerMax)
  readonly #checks = new Frequency(checksPerSecondMax)

  constructor(components: HearsayComponents) {
    this.#components = components
  }

  /**
   * @param isWanted - of peers that we have a use for
   * @returns why the teller is to blame, and then what follows the forged record is not looked at
   */
  hear(
    teller: PeerId,
    records: readonly ToldRecord[],
    isWanted: (record: PeerRecord) => boolean,
    nowMs: number
  ): Rejection | undefined {
    const { self, signer, book, own } = this.#components
    for (const { signed, heardSecondsAgo } of records) {
      const isOfUs = signed.record.peer === self
      if (!isOfUs && !isWanted(signed.record)) continue
      if (isOfUs ? own.isNews(signed) : book.isNews(signed)) {
        if (this.#checks.exceeds('', nowMs) || this.#checksOfTeller.exceeds(teller, nowMs)) return
        if (!signed.isGenuine(signer)) return 'forged'
      }
      if (isOfUs) own.heard(signed)
      else book.hear(signed, teller, nowMs - heardSecondsAgo * 1_000, nowMs)
    }
    return undefined
  }

  /** What a peer says of itself, on a connection with it: that it lives, whatever its record. */
  greeted(from: PeerId, { record: signed }: Hello, nowMs: number): Rejection | undefined {
    if (signed.record.peer !== from) return 'forged'
    const fault = this.hear(from, [{ signed, heardSecondsAgo: 0 }], () => true, nowMs)
    if (fault === undefined) this.#components.book.met(from, nowMs)
    return fault
  }

  forget(teller: PeerId): void {
    this.#checksOfTeller.forget(teller)
  }
}
