/** One dial among several, of which one is enough. */
export interface Knock<Arrived> {
  readonly arrival: Promise<Arrived>
  /** Nobody waits for it any more. What has arrived stays. */
  readonly giveUp: () => void
}

/**
 * Dial, for a limited time.
 *
 * Never with AbortSignal.timeout: node:net keeps a dial's signal for the life of the socket, and would
 * end a connection that has long been open.
 */
export function knock<Arrived>(
  ms: number,
  dial: (signal: AbortSignal) => Promise<Arrived>
): Knock<Arrived> {
  const controller = new AbortController()
  let giveUp = () => controller.abort()
  const timer = setTimeout(() => giveUp(), ms)
  const arrival = dial(controller.signal).finally(() => {
    giveUp = () => undefined
    clearTimeout(timer)
  })
  return { arrival, giveUp: () => giveUp() }
}

/** @returns the first that arrives; undefined when none does */
export async function firstOf<Arrived>(
  knocks: readonly Knock<Arrived>[]
): Promise<Arrived | undefined> {
  try {
    return await Promise.any(knocks.map(({ arrival }) => arrival))
  } catch {
    return undefined
  }
}

export function pause(ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  setTimeout(resolve, ms)
  return promise
}
