/**
 * The contract between protocol logic and the world.
 *
 * A machine is protocol logic with nothing attached: no clock, no sockets, no promises. It takes one
 * input and answers with effects. A body is a place for a machine to live: it has a clock and
 * performs effects. A driver (driver.ts) joins the two.
 */

/** Takes one input at a time, at a time that is handed in, and says what should happen. */
export interface Machine<Input, Effect> {
  /**
   * @param nowMs - the body's clock, in milliseconds; it never runs backwards
   * @returns what the body should do, in this order
   */
  handle(input: Input, nowMs: number): readonly Effect[]
}

/** A place for a machine to live. */
export interface Body<Effect> {
  /** Milliseconds on a clock that never runs backwards; its zero is the body's own choice. */
  nowMs(): number
  /** Start doing what the machine asked for. What comes of it returns as an input, later or at once. */
  perform(effect: Effect): void
}
