/**
 * Those of the lowest rank first; within a rank the first of each group, then the second of each, and so on:
 * a group gains nothing by being large. Otherwise in the order given.
 */
export function inTurns<Item>(
  items: readonly Item[],
  rankOf: (item: Item) => number,
  groupOf: (item: Item) => string
): Item[] {
  const taken = new Map<string, number>()
  return items
    .map((item) => {
      const rank = rankOf(item)
      const key = `${rank} ${groupOf(item)}`
      const turn = taken.get(key) ?? 0
      taken.set(key, turn + 1)
      return { item, rank, turn }
    })
    .sort((a, b) => a.rank - b.rank || a.turn - b.turn)
    .map(({ item }) => item)
}
