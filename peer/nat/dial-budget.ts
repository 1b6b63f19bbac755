/**
 * How often this node knocks anywhere, whoever asked for it: contacts that peers made up, a router
 * that turns everything away, or our own mistakes must not become a storm. A bucket of tokens.
 */
export class DialBudget {
  readonly #perMinute: number
  readonly #nowMs: () => number
  #tokens: number
  #filledMs: number
  #made = 0
  #refused = 0

  /** @param perMinute - dials a minute, and at most as many at once; Infinity for no bound */
  constructor(perMinute: number, nowMs: () => number) {
    this.#perMinute = perMinute
    this.#nowMs = nowMs
    this.#tokens = perMinute
    this.#filledMs = nowMs()
  }

  /** @returns whether one more dial may be made now; it then counts as made */
  take(): boolean {
    const nowMs = this.#nowMs()
    const minutes = (nowMs - this.#filledMs) / 60_000
    if (minutes > 0) this.#tokens += minutes * this.#perMinute
    this.#tokens = Math.min(this.#perMinute, this.#tokens)
    this.#filledMs = nowMs
    if (this.#tokens < 1) {
      this.#refused++
      return false
    }
    this.#tokens--
    this.#made++
    return true
  }

  get counts(): { readonly made: number; readonly refused: number } {
    return { made: this.#made, refused: this.#refused }
  }
}
