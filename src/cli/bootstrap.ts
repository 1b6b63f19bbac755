import { Command } from 'commander'
import { StarlingError } from '../core/errors.ts'
import { readConfig, writeConfig } from '../../peer/config.ts'
import { homeAt, openHome } from '../../peer/home.ts'
import { readPeerAddress } from '../../peer/network/addresses.ts'
import { isRunning, tellDaemon } from './daemon.ts'
import { printJson, printLine } from './print.ts'
import { withCommonOptions, type CommonOptions } from './settings.ts'

/** The peers that a home begins with, whatever it remembers besides. */
export function bootstrapCommand(): Command {
  const command = new Command('bootstrap').description('the peers that this node begins with')
  command.addCommand(
    withCommonOptions(new Command('list'))
      .description('list them')
      .addHelpText('after', '\nExample:\n  $ starling bootstrap list')
      .action(async (options: CommonOptions) => {
        const bootstrap = (await readConfig(homeAt(options.home).config)).bootstrap ?? []
        if (options.json === true) return printJson({ bootstrap })
        for (const address of bootstrap) printLine(address)
      })
  )
  command.addCommand(changing('add', 'dial it from now on, and after every start'))
  command.addCommand(changing('rm', 'dial it no more'))
  return command
}

function changing(name: 'add' | 'rm', description: string): Command {
  return withCommonOptions(new Command(name))
    .description(description)
    .argument('<multiaddr>', 'with the peer id at its end, as a join line has it')
    .addHelpText(
      'after',
      `\nExample:\n  $ starling bootstrap ${name} /ip4/192.0.2.7/tcp/4001/p2p/12D3KooW…`
    )
    .action(async (address: string, options: CommonOptions) => {
      readPeerAddress(address, `bootstrap ${name}`)
      const home = await openHome(options.home)
      const config = await readConfig(home.config)
      const before = config.bootstrap ?? []
      if (name === 'rm' && !before.includes(address)) {
        throw new StarlingError(
          'STARLING_BAD_ARGUMENT',
          `${address} is not among them; 'starling bootstrap list' shows those that are`
        )
      }
      const others = before.filter((each) => each !== address)
      const bootstrap = name === 'rm' ? others : [...others, address]
      await writeConfig(home.config, { ...config, bootstrap })
      const running = await isRunning(home)
      if (running) await tellDaemon(home, name === 'rm' ? 'remove' : 'add', address)
      if (options.json === true) return printJson({ bootstrap, running })
      printLine(`${bootstrap.length} to begin with${running ? '; the running daemon knows' : ''}`)
    })
}
