import type { Argument } from './planner.ts'
import type { Root } from './region.ts'

/** Every region starts on a cache line of its own. */
const alignment = 64

export interface PlaceOptions {
  /** Bytes left free around every region, and no sharing: a test finds writes beyond a region. */
  readonly gapBytes?: number
}

/** A region's place, for tests and for people. */
export interface Placement {
  readonly root: Root
  readonly start: number
  readonly end: number
}

/**
 * Give every region of a list of calls an address at or above `base`: a region is alive from the first
 * call that names it to the last, and those alive at one time do not overlap. First fit, in order of
 * birth.
 *
 * @returns the placements, in order of birth, and the first byte beyond all of them
 */
export function place(
  calls: readonly (readonly Argument[])[],
  base: number,
  { gapBytes }: PlaceOptions = {}
): { placements: Placement[]; end: number } {
  const lives = livesOf(calls)
  const placements: Placement[] = []
  let alive: (Placement & { last: number })[] = []
  let end = base
  for (const [root, { first, last }] of lives) {
    if (gapBytes === undefined) alive = alive.filter((other) => other.last >= first)
    const bytes = aligned(root.bytes)
    let start = aligned(base + (gapBytes ?? 0))
    for (const other of alive) {
      if (other.start - start >= bytes) break
      start = Math.max(start, aligned(other.end + (gapBytes ?? 0)))
    }
    root.address = start
    const placed = { root, start, end: start + root.bytes, last }
    const after = alive.findIndex((other) => other.start > start)
    alive.splice(after === -1 ? alive.length : after, 0, placed)
    placements.push(placed)
    end = Math.max(end, start + bytes + (gapBytes ?? 0))
  }
  return { placements, end }
}

function livesOf(
  calls: readonly (readonly Argument[])[]
): Map<Root, { first: number; last: number }> {
  const lives = new Map<Root, { first: number; last: number }>()
  for (const [index, args] of calls.entries()) {
    for (const argument of args) {
      if (typeof argument === 'number' || argument.root.address !== undefined) continue
      const life = lives.get(argument.root)
      if (life === undefined) lives.set(argument.root, { first: index, last: index })
      else life.last = index
    }
  }
  return lives
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment
}
