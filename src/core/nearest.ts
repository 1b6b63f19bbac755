/**
 * The known word that somebody probably meant: the fewest insertions, deletions and replacements
 * away (Levenshtein), first in the list among equals.
 *
 * @returns undefined when even the nearest differs in more than a third of its letters (but at least 2)
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Infinity
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (distance < bestDistance) {
      best = candidate
      bestDistance = distance
    }
  }
  return best !== undefined && bestDistance <= Math.max(2, best.length / 3) ? best : undefined
}

/** Row by row of the table of Wagner and Fischer (1974). */
function editDistance(from: string, to: string): number {
  // Words of people are short; a longer one is not a typing error, and its table would be large.
  if (from.length > wordLengthMax || to.length > wordLengthMax) return Infinity
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row++) {
    const current = [row]
    for (let column = 1; column <= to.length; column++) {
      const replaced = from[row - 1] === to[column - 1] ? 0 : 1
      current.push(
        Math.min(
          (previous[column] ?? 0) + 1,
          (current[column - 1] ?? 0) + 1,
          (previous[column - 1] ?? 0) + replaced
        )
      )
    }
    previous = current
  }
  return previous[to.length] ?? Infinity
}

const wordLengthMax = 64
