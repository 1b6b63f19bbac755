import { Command, InvalidArgumentError } from 'commander'
import { wholeNumber } from '../src/cli/arguments.ts'
import { tell } from '../src/cli/exit.ts'
import { hold } from './nat-lab/hold.ts'
import { homeKinds, type HomeKind } from './nat-lab/homes.ts'
import { Lab, sweep } from './nat-lab/lab.ts'
import { runPairs, type Pair } from './nat-lab/pairs.ts'
import { Rig } from './nat-lab/rig.ts'
import { selfCheck } from './nat-lab/self-check.ts'

/** `npm run nat-lab`: a laboratory of home routers; docs/nat-lab.md. */

interface Options {
  readonly selfCheck?: true
  readonly sweep?: true
  readonly hold?: Pair
  readonly delay: number
  readonly pairs: readonly Pair[]
  readonly tries: number
  readonly json?: true
}

const command = new Command('nat-lab')
  .description('homes behind routers of all kinds, in network namespaces of this machine')
  .option('--self-check', 'do the routers do what their kinds say? asked with plain sockets')
  .option('--pairs <a:b,...>', 'which homes meet which (default: all that differ)', readPairs, [])
  .option('--tries <n>', 'of each pair', wholeNumber(1, 1_000), 10)
  .option('--json', 'one JSON document')
  .option('--hold <a:b>', 'build two homes and wait, to look around by hand', readPair)
  .option('--delay <ms>', 'of every access line, each way', wholeNumber(0, 10_000), 0)
  .option('--sweep', 'remove what killed labs left behind')
  .action(async (options: Options) => {
    process.exitCode = await run(options)
  })

try {
  await command.parseAsync()
} catch (error) {
  process.exitCode = tell(error)
}

async function run(options: Options): Promise<number> {
  if (options.sweep === true) {
    for (const ns of sweep()) process.stderr.write(`removed ${ns}\n`)
    return 0
  }
  const lab = new Lab()
  try {
    if (options.hold !== undefined) return await hold(lab, options.hold, { delayMs: options.delay })
    if (options.selfCheck === true) {
      const wrong = await selfCheck(lab, progress)
      return wrong.length === 0 ? 0 : 1
    }
    const rig = new Rig(lab, { delayMs: options.delay })
    const pairs = await runPairs(rig, options.pairs, options.tries, progress)
    console.log(JSON.stringify(pairs, null, 2))
    return 0
  } finally {
    lab.close()
  }
}

function progress(line: string): void {
  process.stderr.write(line + '\n')
}

function readPairs(text: string): readonly Pair[] {
  return text.split(',').map(readPair)
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
