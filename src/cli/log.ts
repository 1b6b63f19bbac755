import { Command } from 'commander'
import type { BodyEvent } from '../../peer/body.ts'
import { ControlClient } from '../../peer/control-client.ts'
import { homeAt } from '../../peer/home.ts'
import { createLogger } from '../../peer/log.ts'
import type { Dated } from '../../peer/recent.ts'
import { wholeNumber } from './arguments.ts'
import { logEvent } from './event-log.ts'
import { printJson } from './print.ts'
import { withCommonOptions, type CommonOptions } from './settings.ts'

interface LogOptions extends CommonOptions {
  readonly follow?: boolean
  readonly lines: number
}

export function logCommand(): Command {
  return withCommonOptions(new Command('log'))
    .description('show what happened lately in the running daemon')
    .option('-f, --follow', 'go on showing what happens, until Ctrl-C')
    .option('--lines <n>', 'how far back', wholeNumber(0, 500), 20)
    .addHelpText(
      'after',
      `
Examples:
  $ starling log --lines 100
  $ starling log -f --log-level debug
  $ starling log -f --json                # one JSON document a line`
    )
    .action(async (options: LogOptions) => {
      const client = await ControlClient.open(homeAt(options.home))
      const follows = options.follow === true
      // From now on first, so that nothing is lost between the two.
      const ending = new AbortController()
      process.once('SIGINT', () => ending.abort())
      const next = client.events(ending.signal)
      const first = follows ? next.next() : undefined
      const { events } = (await client.log()) as { events: readonly Dated<BodyEvent>[] }
      const lately = options.lines === 0 ? [] : events.slice(-options.lines)
      if (options.json === true && !follows) return printJson({ events: lately })
      const show = options.json === true ? showAsJson : showInWords(options)
      for (const each of lately) show(each)
      for (let read = await first; read?.done === false; read = await next.next()) {
        show({ at: new Date().toISOString(), event: read.value as BodyEvent })
      }
    })
}

function showAsJson(dated: Dated<BodyEvent>): void {
  process.stdout.write(`${JSON.stringify(dated)}\n`)
}

/** On standard output: here the log is what was asked for. */
function showInWords(options: LogOptions): (dated: Dated<BodyEvent>) => void {
  const level = options.logLevel ?? 'info'
  const logger = createLogger({ format: options.logFormat ?? 'text', level }, 1)
  return ({ at, event }) => logEvent(logger.child({ at }), event)
}
