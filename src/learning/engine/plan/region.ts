/**
 * A piece of the engine's memory, given an address when a plan is complete. Regions of one plan that
 * are never in use at the same time may share addresses.
 */
export interface Region {
  /** What is allocated as one. */
  readonly root: Root
  /** Bytes from the start of `root`. */
  readonly offset: number
}

export interface Root {
  readonly bytes: number
  /** Where it lies: known beforehand for what outlives a plan, such as parameters. */
  address: number | undefined
}

export function region(bytes: number, address?: number): Region {
  return { root: { bytes, address }, offset: 0 }
}

/** The part that begins `floats` float32 into a region. */
export function from({ root, offset }: Region, floats: number): Region {
  return { root, offset: offset + 4 * floats }
}
