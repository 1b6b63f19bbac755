import { addressesPerContactMax, versionLengthMax } from '../../src/core/limits.ts'
import type { PeerId, Progress } from '../messages.ts'
import { SignedRecord, type PeerRecord, type Signer } from './record.ts'

export interface OwnRecordComponents {
  readonly self: PeerId
  readonly signer: Signer
  readonly role: PeerRecord['role']
  /** Of the program. */
  readonly version: string
}

/** What of us changes. */
export type OwnFacts = Pick<PeerRecord, 'task' | 'addresses'> & Pick<Progress, 'round' | 'age'>

/** Looks at the membership between two records that differ in progress alone: a minute, by default. */
const renewalLooks = 12

/**
 * The record that we tell of ourselves. A change of task or addresses is told at once; progress now and
 * then, and then also where there is none, as a sign of life.
 */
export class OwnRecord {
  readonly #components: OwnRecordComponents
  #newest: SignedRecord | undefined
  #told: OwnFacts | undefined
  #sequence = 0
  #looks = 0
  #isDue = false
  #overtaken = 0

  constructor(components: OwnRecordComponents) {
    this.#components = components
  }

  /** Times that a record of another life was newer than one that we had told since the last time. */
  get overtaken(): number {
    return this.#overtaken
  }

  /** As it is to be told now. */
  current(facts: OwnFacts): SignedRecord {
    const isNews = this.#told === undefined || this.#isDue || differs(this.#told, facts)
    if (this.#newest !== undefined && !isNews) return this.#newest
    const { self, signer, role, version } = this.#components
    this.#isDue = false
    this.#told = facts
    this.#newest = SignedRecord.sign(
      {
        peer: self,
        sequence: ++this.#sequence,
        role,
        task: facts.task,
        addresses: facts.addresses.slice(0, addressesPerContactMax),
        version: version.slice(0, versionLengthMax),
        round: facts.round,
        age: facts.age
      },
      signer
    )
    return this.#newest
  }

  /** A look at the membership. @returns whether the record is to be told anew */
  look(): boolean {
    if (++this.#looks % renewalLooks === 0) this.#isDue = true
    return this.#isDue
  }

  /** Whether a record of us is of another life that came further than this one. */
  isNews(signed: SignedRecord): boolean {
    return signed.supersedes(this.#newest)
  }

  /**
   * Somebody tells us of ourselves, and the signature is ours. Where it is of an earlier life, our next
   * record goes above it, as members of SWIM refute what is said of them (Das et al., 2002).
   */
  heard(signed: SignedRecord): void {
    if (!this.isNews(signed)) return
    if (!this.#isDue) this.#overtaken++
    this.#sequence = Math.max(this.#sequence, signed.record.sequence)
    this.#isDue = true
  }
}

/** In what others have to know at once. */
function differs(before: OwnFacts, now: OwnFacts): boolean {
  return before.task !== now.task || before.addresses.join() !== now.addresses.join()
}
