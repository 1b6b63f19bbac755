import { Command } from 'commander'
import { parse } from 'yaml'
import { StarlingError } from '../core/errors.ts'
import { unknownWord } from '../core/nearest.ts'
import {
  checkConfig,
  configDefaults,
  configSchema,
  readConfig,
  writeConfig,
  type Config
} from '../../peer/config.ts'
import { homeAt, openHome } from '../../peer/home.ts'
import { isRunning } from './daemon.ts'
import { printFacts, printJson, printLine } from './print.ts'
import { withCommonOptions, type CommonOptions } from './settings.ts'

/** What a home remembers of its user's choices. Flags and the environment come before it. */
export function configCommand(): Command {
  const command = new Command('config').description('what this home has for defaults')
  command.addCommand(getCommand())
  command.addCommand(setCommand())
  command.addCommand(unsetCommand())
  return command
}

function getCommand(): Command {
  return withCommonOptions(new Command('get'))
    .description('show what is set; or one value, its default when it is not set')
    .argument('[key]', 'such as port')
    .addHelpText('after', '\nExamples:\n  $ starling config get\n  $ starling config get port')
    .action(async (key: string | undefined, options: CommonOptions) => {
      const config = await readConfig(homeAt(options.home).config)
      if (key === undefined) {
        if (options.json === true) return printJson(config)
        const facts = Object.entries(config).map(([name, value]): [string, string] => [
          name,
          inWords(value)
        ])
        return facts.length === 0
          ? printLine('nothing is set')
          : printFacts(Object.fromEntries(facts))
      }
      const known = checkKey(key)
      const value = config[known] ?? (configDefaults as Config)[known] ?? null
      if (options.json === true) printJson({ [known]: value })
      else printLine(value === null ? 'not set' : inWords(value))
    })
}

function setCommand(): Command {
  return withCommonOptions(new Command('set'))
    .description('set one value; a running daemon takes it up when it starts again')
    .argument('<key>', 'such as port')
    .argument('<value>', 'a word, a number, or YAML')
    .addHelpText(
      'after',
      `
Examples:
  $ starling config set port 4001
  $ starling config set listen '[/ip4/0.0.0.0/tcp/4001, /ip6/::/tcp/4001]'`
    )
    .action(async (key: string, written: string, options: CommonOptions) => {
      const known = checkKey(key)
      await change(options, (config) =>
        checkConfig({ ...config, [known]: valueOf(known, written) }, 'it')
      )
    })
}

function unsetCommand(): Command {
  return withCommonOptions(new Command('unset'))
    .description('forget one value: its default counts again')
    .argument('<key>', 'such as port')
    .addHelpText('after', '\nExample:\n  $ starling config unset port')
    .action(async (key: string, options: CommonOptions) => {
      const known = checkKey(key)
      await change(options, (config) =>
        Object.fromEntries(Object.entries(config).filter(([name]) => name !== known))
      )
    })
}

async function change(options: CommonOptions, edit: (config: Config) => Config): Promise<void> {
  const home = await openHome(options.home)
  const config = edit(await readConfig(home.config))
  await writeConfig(home.config, config)
  const running = await isRunning(home)
  if (options.json === true) return printJson({ ...config })
  printLine(running ? 'set; the running daemon takes it up when it starts again' : 'set')
}

type Key = keyof Config

/** @throws STARLING_BAD_ARGUMENT naming the nearest key */
function checkKey(key: string): Key {
  const known = Object.keys(configSchema.shape)
  if (known.includes(key)) return key as Key
  throw new StarlingError('STARLING_BAD_ARGUMENT', unknownWord('key', key, known))
}

/** As YAML reads it, unless a word is wanted there: a path may look like a number. */
function valueOf(key: Key, written: string): unknown {
  if (configSchema.shape[key].safeParse(written).success) return written
  try {
    return parse(written)
  } catch {
    return written
  }
}

function inWords(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}
