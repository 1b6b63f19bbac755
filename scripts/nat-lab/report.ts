import os from 'node:os'
import Table from 'cli-table3'
import type { CaseResult } from './cases/case.ts'
import type { PairResult } from './pairs.ts'

/** What a run of the lab came to; the names of `pairs` are a promise to programs. */
export interface Report {
  readonly machine: {
    readonly cores: number
    /** Above the number of cores, others were at work and times are too long. */
    readonly loadAfter: number
  }
  readonly pairs: readonly PairResult[]
  readonly cases: readonly CaseResult[]
  readonly pass: boolean
}

export function reportOf(pairs: readonly PairResult[], cases: readonly CaseResult[]): Report {
  const machine = { cores: os.availableParallelism(), loadAfter: os.loadavg()[0] ?? NaN }
  return { machine, pairs, cases, pass: [...pairs, ...cases].every(({ pass }) => pass) }
}

export function printReport({ pairs, cases, pass }: Report): void {
  if (pairs.length > 0) {
    const table = new Table({
      head: [
        'a',
        'b',
        'possible',
        'connected',
        'ms',
        'MB/s',
        'relayed model bytes',
        'dials',
        'tries',
        ''
      ],
      style: { head: [], border: [] }
    })
    for (const pair of pairs) {
      table.push([
        ...[pair.a, pair.b, pair.expected, pair.connected, pair.ms ?? '–'],
        pair.megabytesPerSecond?.toFixed(0) ?? '–',
        ...[pair.modelBytesThroughLimitedRelay, pair.dials],
        `${pair.successes} of ${pair.tries}`,
        verdict(pair)
      ])
    }
    process.stdout.write(`${table.toString()}\n`)
  }
  for (const each of cases) {
    process.stdout.write(`${verdict(each)}  ${each.name}: ${each.question}\n`)
    for (const [what, value] of Object.entries(each.facts)) {
      process.stdout.write(`      ${what}: ${value}\n`)
    }
  }
  process.stdout.write(`${pass ? 'PASS' : 'FAIL'}\n`)
}

function verdict({ pass }: { readonly pass: boolean }): string {
  return pass ? 'ok  ' : 'FAIL'
}
