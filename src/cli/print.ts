import Table from 'cli-table3'

/** Facts, for programs: one JSON document on standard output. */
export function printJson(facts: unknown): void {
  process.stdout.write(`${JSON.stringify(facts, null, 2)}\n`)
}

export function printLine(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Facts, for people: a column of names and one of values. */
export function printFacts(facts: Readonly<Record<string, string | number>>): void {
  const width = Math.max(...Object.keys(facts).map((name) => name.length))
  for (const [name, value] of Object.entries(facts)) {
    printLine(`${name.padEnd(width)}  ${value}`)
  }
}

export function tableOf(head: readonly string[], rows: readonly (string | number)[][]): string {
  const table = new Table({ head: [...head], style: { head: [], border: [], compact: true } })
  table.push(...rows)
  return table.toString()
}

export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? '–' : `${(share * 100).toFixed(1)} %`
}

export function bytesForPeople(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let value = bytes
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit++
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`
}
