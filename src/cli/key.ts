import { Command } from 'commander'
import { createSwarmKey } from '../../peer/access/swarm-key.ts'
import { printJson, printLine } from './print.ts'
import { withCommonOptions, type CommonOptions } from './settings.ts'

export function keyCommand(): Command {
  const command = new Command('key').description('keys that all members of a swarm share')
  command.addCommand(
    withCommonOptions(new Command('new'))
      .description('make a swarm key: whoever has it can talk to the swarm, and nobody else')
      .argument('<file>', 'where to write it; only you may read it')
      .addHelpText(
        'after',
        `
Example:
  $ starling key new swarm.key
  $ starling up --task digits.json --swarm-key swarm.key

Every member needs the same file, helpers as well. With another key, or none, a connection just
breaks off: nobody can say why.`
      )
      .action(async (file: string, options: CommonOptions) => {
        await createSwarmKey(file)
        if (options.json === true) printJson({ file })
        else
          printLine(`${file} is made: give it to every member, by a way that nobody else can read`)
      })
  )
  return command
}
