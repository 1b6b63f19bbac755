import { witnessedAddressesMax, witnessesMax } from '../../src/core/limits.ts'

/** Longer than two questions apart: a witness who leaves is believed for a while. */
const validMs = 12 * 60_000

interface Word {
  readonly isReached: boolean
  readonly atMs: number
}

/**
 * What others found out about our addresses by dialling them. An address is believed in while at
 * least one reached it, and no more peers failed to than did: a single liar cannot take away what
 * another sees, and cannot talk us into anything that two others deny.
 */
export class Witnesses {
  readonly #words = new Map<string, Map<string, Word>>()

  note(address: string, peer: string, isReached: boolean, nowMs: number): void {
    const words = this.#words.get(address) ?? new Map<string, Word>()
    words.delete(peer)
    words.set(peer, { isReached, atMs: nowMs })
    dropOldest(words, witnessesMax)
    this.#words.delete(address)
    this.#words.set(address, words)
    dropOldest(this.#words, witnessedAddressesMax)
  }

  /** Addresses of ours that others reach. */
  reached(nowMs: number): string[] {
    return this.#addresses(nowMs, (yes, no) => yes > 0 && yes >= no)
  }

  /** Addresses where others tried to reach us and could not. */
  unreachable(nowMs: number): string[] {
    return this.#addresses(nowMs, (yes, no) => no > yes)
  }

  #addresses(nowMs: number, fits: (yes: number, no: number) => boolean): string[] {
    return [...this.#words]
      .filter(([, words]) => {
        const valid = [...words.values()].filter(({ atMs }) => nowMs - atMs <= validMs)
        const yes = valid.filter(({ isReached }) => isReached).length
        return fits(yes, valid.length - yes)
      })
      .map(([address]) => address)
  }
}

function dropOldest(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return
    map.delete(key)
  }
}
