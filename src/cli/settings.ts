import { existsSync } from 'node:fs'
import { Option, type Command } from 'commander'
import type { DataDirectories } from '../learning/data/spec.ts'
import { readConfig, type Config } from '../../peer/config.ts'
import { defaultHomePath, homeAt, type Home } from '../../peer/home.ts'
import { createLogger, type Logger, type LogOptions } from '../../peer/log.ts'

/** What every command understands. Flag > environment > config file > default. */
export interface CommonOptions {
  readonly home: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly logFormat?: LogOptions['format']
  readonly logLevel?: LogOptions['level']
}

export function withCommonOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--home <dir>', 'where this node keeps its identity, tasks and checkpoints')
        .env('STARLING_HOME')
        .default(defaultHomePath(), '~/.starling')
    )
    .option('--json', 'print facts as one JSON document; logs go to standard error')
    .option('--quiet', 'print no progress')
    .addOption(
      new Option('--log-format <format>', 'how logs look')
        .choices(['text', 'json'])
        .env('STARLING_LOG_FORMAT')
    )
    .addOption(
      new Option('--log-level <level>', 'which logs to write')
        .choices(['debug', 'info', 'warn', 'error', 'silent'])
        .env('STARLING_LOG_LEVEL')
    )
}

export interface Settings {
  readonly home: Home
  readonly config: Config
  readonly logger: Logger
}

/** @throws STARLING_BAD_CONFIG when the home's config is not valid */
export async function readSettings(options: CommonOptions): Promise<Settings> {
  const home = homeAt(options.home)
  const config = await readConfig(home.config)
  const format = options.logFormat ?? config.logFormat ?? 'text'
  const level = options.logLevel ?? config.logLevel ?? (options.quiet === true ? 'warn' : 'info')
  return { home, config, logger: createLogger({ format, level }) }
}

/** Beside a checkout, teams keep data sets that none of them commits. */
const sharedDataDirectories = ['data', '../data', '../shared/data']

/** Where `mnist` and the like are looked for: in STARLING_DATA, else in a shared directory; in the home. */
export function dataDirectories(home: Home): DataDirectories {
  const dataDirectory = process.env.STARLING_DATA ?? sharedDataDirectories.find(existsSync)
  return { dataDirectory, homeDirectory: home.path }
}
