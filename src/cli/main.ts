import { Command, CommanderError } from 'commander'
import { dataCommand } from './data.ts'
import { demoCommand } from './demo.ts'
import { exitCodes, tell } from './exit.ts'
import { idCommand, initCommand } from './init.ts'
import { simCommand } from './sim.ts'
import { peersCommand, statusCommand, stopCommand } from './status.ts'
import { taskCommand } from './task.ts'
import { upCommand } from './up.ts'
import { version } from './version.ts'

function program(): Command {
  const command = new Command('starling')
    .description(
      'Train a shared model with your neighbours, on data that never leaves your machine.'
    )
    .version(version)
    .addHelpText(
      'after',
      `
Examples:
  $ starling demo                         five daemons on this machine learn together
  $ starling task new digits.json         describe what to learn
  $ starling up --task digits.json        start a swarm; prints the line to join it
  $ starling up --join /ip4/…/p2p/…       join one
  $ starling sim run vanishing-variance   the same protocol with fifty peers in virtual time

Exit codes: 0 ok, 1 the work failed, 2 bad input, 3 environment, 4 network, 130 interrupted.`
    )
  for (const subcommand of [
    demoCommand(),
    initCommand(),
    idCommand(),
    taskCommand(),
    upCommand(),
    statusCommand(),
    peersCommand(),
    stopCommand(),
    simCommand(),
    dataCommand()
  ]) {
    command.addCommand(subcommand)
  }
  exitOverride(command)
  return command
}

/** Commander ends the process by itself, with 1 for what is our 2. */
function exitOverride(command: Command): void {
  command.exitOverride().showHelpAfterError("(see 'starling --help', or --help of the command)")
  for (const subcommand of command.commands) exitOverride(subcommand)
}

/** Run a command line and set the exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync([...argv])
  } catch (error) {
    if (!(error instanceof CommanderError)) process.exitCode = tell(error)
    else process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.input
  }
}
