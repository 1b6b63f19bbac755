/**
 * A token bucket: so much a second, and some in store for bursts. What is taken beyond the store is
 * owed, and whoever takes says how long to wait.
 */
export class Bucket {
  readonly #perSecond: number
  readonly #burst: number
  #level: number
  #atMs: number

  /** @param burst - what it holds when full; it begins full */
  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#level = burst
    this.#atMs = nowMs
  }

  /** Take, whether it is there or not. @returns how long until nothing is owed, in milliseconds */
  take(amount: number, nowMs: number): number {
    this.#refill(nowMs)
    this.#level -= amount
    return this.#level >= 0 ? 0 : (-this.#level / this.#perSecond) * 1_000
  }

  /** Take only if it is there. */
  tryTake(amount: number, nowMs: number): boolean {
    this.#refill(nowMs)
    if (this.#level < amount) return false
    this.#level -= amount
    return true
  }

  isFull(nowMs: number): boolean {
    this.#refill(nowMs)
    return this.#level >= this.#burst
  }

  #refill(nowMs: number): void {
    const gained = ((nowMs - this.#atMs) / 1_000) * this.#perSecond
    // Infinity times nothing is no number, and a bucket without a bound is always full.
    this.#level = Number.isFinite(gained)
      ? Math.min(this.#burst, this.#level + gained)
      : this.#burst
    this.#atMs = nowMs
  }
}

/** A bucket for each key, at most `keysMax`: the one used longest ago is forgotten. */
export class Buckets {
  readonly #perSecond: number
  readonly #burst: number
  readonly #keysMax: number
  readonly #buckets = new Map<string, Bucket>()

  constructor(perSecond: number, burst: number, keysMax: number) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#keysMax = keysMax
  }

  tryTake(key: string, nowMs: number): boolean {
    const bucket = this.#buckets.get(key) ?? new Bucket(this.#perSecond, this.#burst, nowMs)
    this.#buckets.delete(key) // so that it comes to stand last
    this.#buckets.set(key, bucket)
    for (const oldest of this.#buckets.keys()) {
      if (this.#buckets.size <= this.#keysMax) break
      this.#buckets.delete(oldest)
    }
    return bucket.tryTake(1, nowMs)
  }
}
