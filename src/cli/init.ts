import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { StarlingError } from '../core/errors.ts'
import { readConfig, writeConfig } from '../../peer/config.ts'
import { homeAt, openHome } from '../../peer/home.ts'
import { openIdentity, peerIdOf } from '../../peer/identity.ts'
import { printFacts, printJson, printLine } from './print.ts'
import { withCommonOptions, type CommonOptions } from './settings.ts'

export function initCommand(): Command {
  return withCommonOptions(new Command('init'))
    .description('make the home: identity and config')
    .addHelpText('after', '\nExample:\n  $ starling init --home ./node-a')
    .action(async (options: CommonOptions) => {
      const home = await openHome(options.home)
      const peerId = peerIdOf(await openIdentity(home))
      if (!existsSync(home.config)) await writeConfig(home.config, await readConfig(home.config))
      const facts = { peerId, home: home.path, config: home.config }
      if (options.json === true) printJson(facts)
      else printFacts({ 'peer id': peerId, home: home.path, config: home.config })
    })
}

export function idCommand(): Command {
  return withCommonOptions(new Command('id'))
    .description('print the peer id of this home')
    .addHelpText('after', '\nExample:\n  $ starling id')
    .action(async (options: CommonOptions) => {
      const home = homeAt(options.home)
      if (!existsSync(home.identity) && !existsSync(home.peerId)) {
        throw new StarlingError(
          'STARLING_BAD_IDENTITY',
          `${home.path} has no identity yet: make one with 'starling init'`
        )
      }
      const peerId = peerIdOf(await openIdentity(home))
      if (options.json === true) printJson({ peerId })
      else printLine(peerId)
    })
}
