/**
 * What somebody probably meant: the known word with the fewest edits to theirs, and the earlier one
 * of two that are equally near.
 */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  let nearest: string | undefined
  let fewest = Infinity
  for (const candidate of known) {
    const edits = editDistance(word.toLowerCase(), candidate.toLowerCase())
    if (edits < fewest) {
      fewest = edits
      nearest = candidate
    }
  }
  return nearest
}

/** For a message: `there is no option 'limt'; did you mean 'limit'? Known: limit, seed`. */
export function unknownWord(what: string, word: string, known: readonly string[]): string {
  // A word the length of a book is somebody's accident, and not worth comparing.
  const shown = word.length > 60 ? `${word.slice(0, 60)}…` : word
  const nearest = nearestWord(shown, known)
  const hint = nearest === undefined ? '' : `; did you mean '${nearest}'?`
  return `there is no ${what} '${shown}'${hint} Known: ${known.join(', ')}`
}

/** Insertions, deletions and replacements of one character (Levenshtein), row by row. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[b.length] as number
}
