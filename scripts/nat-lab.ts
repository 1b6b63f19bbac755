import { Command, InvalidArgumentError } from 'commander'
import { wholeNumber } from '../src/cli/arguments.ts'
import { tell } from '../src/cli/exit.ts'
import { hold } from './nat-lab/hold.ts'
import { homeKinds, type HomeKind } from './nat-lab/homes.ts'
import { Lab, sweep } from './nat-lab/lab.ts'
import { selfCheck } from './nat-lab/self-check.ts'

/** `npm run nat-lab`: a laboratory of home routers; docs/nat-lab.md. */

interface Options {
  readonly selfCheck?: true
  readonly sweep?: true
  readonly hold?: readonly HomeKind[]
  readonly delay: number
}

const command = new Command('nat-lab')
  .description('homes behind routers of all kinds, in network namespaces of this machine')
  .option('--self-check', 'do the routers do what their kinds say? asked with plain sockets')
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
    const wrong = await selfCheck(lab, progress)
    return wrong.length === 0 ? 0 : 1
  } finally {
    lab.close()
  }
}

function progress(line: string): void {
  process.stderr.write(line + '\n')
}

function readPair(text: string): readonly HomeKind[] {
  const kinds = text.split(':')
  const unknown = kinds.find((kind) => !homeKinds.includes(kind as HomeKind))
  if (kinds.length !== 2 || unknown !== undefined) {
    throw new InvalidArgumentError(
      `two of ${homeKinds.join(', ')} with a colon between them are expected`
    )
  }
  return kinds as HomeKind[]
}
