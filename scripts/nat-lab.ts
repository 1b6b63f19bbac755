import { mkdir } from 'node:fs/promises'
import { Command, InvalidArgumentError } from 'commander'
import { wholeNumber } from '../src/cli/arguments.ts'
import { tell } from '../src/cli/exit.ts'
import { cases, runCase, type CaseName } from './nat-lab/cases/cases.ts'
import { hold } from './nat-lab/hold.ts'
import { homeKinds, type HomeKind } from './nat-lab/homes.ts'
import { demandPrivileges, Lab, sweep } from './nat-lab/lab.ts'
import { allPairs, quickPairs, usualPairs } from './nat-lab/matrix.ts'
import { runPairs, type Pair, type PairResult } from './nat-lab/pairs.ts'
import { printReport, reportOf } from './nat-lab/report.ts'
import { Rig } from './nat-lab/rig.ts'
import { selfCheck } from './nat-lab/self-check.ts'

/** `npm run nat-lab`: real daemons behind home routers of all kinds; docs/nat-lab.md. */

interface Options {
  readonly pairs?: readonly Pair[]
  /** True: all of them. */
  readonly cases?: readonly CaseName[] | true
  readonly tries?: number
  readonly quick?: true
  readonly json?: true
  readonly webrtc?: true
  readonly delay: number
  readonly logs?: string
  readonly selfCheck?: true
  readonly hold?: Pair
  readonly sweep?: true
}

const triesDefault = 10

const command = new Command('nat-lab')
  .description('real daemons in homes behind routers of all kinds, in namespaces of this machine')
  .option(
    '--pairs <a:b,...>',
    `who meets whom: 'all', 'none', or pairs of ${homeKinds.join(', ')} (default: the usual ones)`,
    readPairs
  )
  .option('--tries <n>', `of each pair (default: ${triesDefault})`, wholeNumber(1, 1_000))
  .option('--quick', 'few pairs, one try each: under three minutes')
  .option('--cases [names]', `also what happens later: ${Object.keys(cases).join()}`, readCases)
  .option('--delay <ms>', 'of every access line, each way, for pairs', wholeNumber(0, 10_000), 0)
  .option('--webrtc', 'members of pairs also punch by WebRTC')
  .option('--json', 'one JSON document')
  .option('--logs <dir>', 'directory that daemons log to')
  .option('--self-check', 'do the routers do what their kinds say? asked with plain sockets')
  .option('--hold <a:b>', 'build two homes and wait, to look around by hand', readPair)
  .option('--sweep', 'remove what killed labs left behind')
  .addHelpText(
    'after',
    `
Examples:
  $ npm run nat-lab -- --quick
  $ npm run nat-lab -- --pairs cone:symmetric,cgnat:cone --tries 3
  $ npm run nat-lab -- --pairs none --cases cold-start,sleep
  $ npm run nat-lab -- --cases --json > report.json
  $ npm run nat-lab -- --hold cone:eim

Exit code 0: all went as well as it can; 1: it did not; 3: this machine cannot run a lab.`
  )
  .action(async (options: Options) => {
    process.exitCode = await run(options)
  })

try {
  await command.parseAsync()
} catch (error) {
  process.exitCode = tell(error)
}
// A daemon's pipes may still be open.
process.exit()

async function run(options: Options): Promise<number> {
  demandPrivileges()
  if (options.sweep === true) {
    for (const ns of sweep()) progress(`removed ${ns}`)
    return 0
  }
  if (options.hold !== undefined) {
    return inLab((lab) => hold(lab, options.hold ?? ['cone', 'cone'], { delayMs: options.delay }))
  }
  if (options.selfCheck === true) {
    const wrong = await inLab((lab) => selfCheck(lab, progress))
    return wrong.length === 0 ? 0 : 1
  }
  if (options.logs !== undefined) await mkdir(options.logs, { recursive: true })
  const pairs = await pairResults(options)
  const results = []
  const { cases: named = [] } = options
  for (const name of named === true ? (Object.keys(cases) as CaseName[]) : named) {
    progress(`${name}: ${cases[name].question}`)
    const result = await runCase(name, options.logs, progress)
    progress(`${name}: ${result.pass ? 'ok' : 'FAIL'}, ${JSON.stringify(result.facts)}`)
    results.push(result)
  }
  const report = reportOf(pairs, results)
  if (options.json === true) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  else printReport(report)
  return report.pass ? 0 : 1
}

async function pairResults(options: Options): Promise<readonly PairResult[]> {
  const isQuick = options.quick === true
  const pairs = options.pairs ?? (isQuick ? quickPairs : usualPairs)
  if (pairs.length === 0) return []
  const tries = options.tries ?? (isQuick ? 1 : triesDefault)
  const { delay: delayMs, logs } = options
  const rigOptions = {
    delayMs,
    webrtc: options.webrtc === true,
    ...(logs === undefined ? {} : { logs })
  }
  return inLab((lab) => runPairs(new Rig(lab, rigOptions), pairs, tries, progress))
}

async function inLab<T>(use: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = new Lab()
  try {
    return await use(lab)
  } finally {
    lab.close()
  }
}

function progress(line: string): void {
  process.stderr.write(line + '\n')
}

function readPairs(text: string): readonly Pair[] {
  if (text === 'all') return allPairs
  return text === 'none' ? [] : text.split(',').map(readPair)
}

function readPair(text: string): Pair {
  const kinds = text.split(':')
  const unknown = kinds.find((kind) => !homeKinds.includes(kind as HomeKind))
  if (kinds.length !== 2 || unknown !== undefined) {
    throw new InvalidArgumentError(
      `two of ${homeKinds.join(', ')} with a colon between them are expected`
    )
  }
  return kinds as [HomeKind, HomeKind]
}

function readCases(text: string): readonly CaseName[] {
  const names = text.split(',')
  const unknown = names.find((name) => !Object.hasOwn(cases, name))
  if (unknown === undefined) return names as CaseName[]
  throw new InvalidArgumentError(`'${unknown}' is none of ${Object.keys(cases).join(', ')}`)
}
