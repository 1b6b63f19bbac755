import { Command, CommanderError } from 'commander'
import { exitCodes, tell } from './exit.ts'
import { version } from './version.ts'

/**
 * Where each command lives. Only the one that is asked for is loaded: `starling status` should not
 * wait for libp2p and TensorFlow.
 */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  demo: async () => (await import('./demo.ts')).demoCommand(),
  init: async () => (await import('./init.ts')).initCommand(),
  id: async () => (await import('./init.ts')).idCommand(),
  task: async () => (await import('./task.ts')).taskCommand(),
  up: async () => (await import('./up.ts')).upCommand(),
  invite: async () => (await import('./invite.ts')).inviteCommand(),
  key: async () => (await import('./key.ts')).keyCommand(),
  status: async () => (await import('./status.ts')).statusCommand(),
  peers: async () => (await import('./status.ts')).peersCommand(),
  ping: async () => (await import('./ping.ts')).pingCommand(),
  log: async () => (await import('./log.ts')).logCommand(),
  bootstrap: async () => (await import('./bootstrap.ts')).bootstrapCommand(),
  config: async () => (await import('./config.ts')).configCommand(),
  stop: async () => (await import('./status.ts')).stopCommand(),
  relay: async () => (await import('./relay.ts')).relayCommand(),
  sim: async () => (await import('./sim.ts')).simCommand(),
  data: async () => (await import('./data.ts')).dataCommand(),
  doctor: async () => (await import('./doctor.ts')).doctorCommand()
}

async function program(asked: string | undefined): Promise<Command> {
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
  $ starling relay                        help others to find and reach each other; trains nothing
  $ starling sim run vanishing-variance   the same protocol with fifty peers in virtual time

Exit codes: 0 ok, 1 the work failed, 2 bad input, 3 environment, 4 network, 130 interrupted.`
    )
  const known = asked === undefined ? undefined : commands[asked]
  const needed = known === undefined ? Object.values(commands) : [known]
  for (const load of needed) command.addCommand(await load())
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
    await (await program(argv[2])).parseAsync([...argv])
  } catch (error) {
    if (!(error instanceof CommanderError)) process.exitCode = tell(error)
    else process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.input
  }
}
