import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'
import { assert, present } from './assert.ts'

/**
 * Seeded dice. A stream is known by its path (`root/peer-017/batches`): forking draws nothing from
 * the parent, so a new draw in one place shifts no other. Use each fork name once per purpose.
 */
export class Random {
  /** What makes the same dice again, in another thread for one: `new Random(path)`. */
  readonly path: string
  #generator: RandomGenerator | undefined

  /** @param path - the seed, or the path of a fork; equal paths give equal streams */
  constructor(path: string | number) {
    this.path = String(path)
  }

  fork(name: string | number): Random {
    return new Random(`${this.path}/${name}`)
  }

  /** Uniform in [0, 1), a multiple of 2⁻⁵³. */
  next(): number {
    return uniformFloat64(this.#stream())
  }

  /** Uniform over the integers [0, bound). */
  integer(bound: number): number {
    assert(Number.isSafeInteger(bound) && bound > 0, 'the bound of integer() is a positive integer')
    return uniformInt(this.#stream(), 0, bound - 1)
  }

  /** Standard normal, by the Box-Muller transform. */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()))
    return radius * Math.cos(2 * Math.PI * this.next())
  }

  /** Exponential with mean 1. */
  exponential(): number {
    return -Math.log(1 - this.next())
  }

  /**
   * Gamma with the given shape and scale 1.
   * Marsaglia and Tsang, "A simple method for generating gamma variables", ACM TOMS 26 (2000);
   * shapes below 1 by their boost: Gamma(a) = Gamma(a + 1) · U^(1/a).
   */
  gamma(shape: number): number {
    assert(shape > 0, 'the shape of gamma() is positive')
    if (shape < 1) return this.gamma(shape + 1) * Math.pow(1 - this.next(), 1 / shape)
    const d = shape - 1 / 3
    const c = 1 / Math.sqrt(9 * d)
    for (;;) {
      const x = this.normal()
      const v = (1 + c * x) ** 3
      if (v > 0 && Math.log(1 - this.next()) < 0.5 * x * x + d - d * v + d * Math.log(v))
        return d * v
    }
  }

  /** One element, uniformly. */
  pick<T>(items: readonly T[]): T {
    assert(items.length > 0, 'pick() has something to pick from')
    return items[this.integer(items.length)] as T
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items]
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.integer(last + 1)
      const kept = shuffled[last] as T
      shuffled[last] = shuffled[other] as T
      shuffled[other] = kept
    }
    return shuffled
  }

  /** An unsigned 32-bit seed for a library that wants one. */
  seed(): number {
    return this.integer(2 ** 32)
  }

  #stream(): RandomGenerator {
    this.#generator ??= xoroshiro128plusFromState(stateOf(this.path))
    return this.#generator
  }
}

/** Four 32-bit words from the path's SHA-256: 128 bits, so that two paths do not share a stream. */
function stateOf(path: string): number[] {
  const digest = sha256(utf8ToBytes(path))
  const words = new DataView(digest.buffer, digest.byteOffset, digest.byteLength)
  const state = [0, 4, 8, 12].map((offset) => words.getInt32(offset, true))
  assert(
    state.some((word) => word !== 0),
    'the state of a generator is not all zero'
  )
  return state.map((word) => present(word, 'a word of the state'))
}
