import { Command } from 'commander'
import { StarlingError } from '../core/errors.ts'
import { invitationDaysMax, invitationUsesMax } from '../core/limits.ts'
import { keptChain } from '../../peer/access/access.ts'
import { parseAllowList } from '../../peer/access/allow-list.ts'
import { endOf } from '../../peer/access/certificate.ts'
import { dateOf, invite } from '../../peer/access/invitation.ts'
import { writeLink } from '../../peer/access/link.ts'
import { ControlClient } from '../../peer/control-client.ts'
import { openHome, type Home } from '../../peer/home.ts'
import { openIdentity, peerIdOf } from '../../peer/identity.ts'
import { readPeerAddress } from '../../peer/network/addresses.ts'
import type { Status } from '../../peer/status.ts'
import { isTaskCid } from '../../peer/tasks.ts'
import { collect, wholeNumber } from './arguments.ts'
import { printJson, printLine } from './print.ts'
import { readSettings, withCommonOptions, type CommonOptions } from './settings.ts'

interface InviteOptions extends CommonOptions {
  readonly for?: string
  readonly days: number
  readonly uses?: number
  readonly mayInvite?: boolean
  readonly task?: string
  readonly via: readonly string[]
}

export function inviteCommand(): Command {
  return withCommonOptions(new Command('invite'))
    .description('make a link that lets a peer into this private swarm')
    .option('--for <peer>', 'the peer id that it is for; without: whoever has the link')
    .option(
      '--days <n>',
      'how long it is good for: to join, and to stay',
      wholeNumber(1, invitationDaysMax),
      30
    )
    .option(
      '--uses <n>',
      'how many peers may come with a link that is for nobody in particular; 0 for any number',
      wholeNumber(0, invitationUsesMax)
    )
    .option('--may-invite', 'the peer of --for may invite others, until the same day')
    .option('--task <cid>', 'task of the swarm; without: the one of this home')
    .option('--via <multiaddr>', 'where to join; without: this daemon', collect, [])
    .addHelpText(
      'after',
      `
Examples:
  $ starling invite                                # one peer, whoever comes first with the link
  $ starling invite --for 12D3Koo… --days 365
  $ starling invite --uses 20 --days 2             # for a room full of people

Nobody can take an invitation back from everybody: each member may put 'deny PEER' into its
allow list. Clocks may differ by a day.`
    )
    .action(async (options: InviteOptions) => {
      const { home, config } = await readSettings(options)
      await openHome(home.path)
      const daemon = await statusOf(home)
      const task = options.task ?? daemon?.task ?? config.task
      if (task === undefined || !isTaskCid(task)) {
        throw new StarlingError(
          'STARLING_BAD_ARGUMENT',
          task === undefined
            ? "this home has no task yet: start the swarm with 'starling up', or give --task CID"
            : `--task ${task} is no CID of a task; 'starling task list' shows those that are kept here`
        )
      }
      if (options.for !== undefined) parseAllowList(options.for, '--for')
      const key = await openIdentity(home)
      const self = peerIdOf(key)
      const own = await keptChain(home, self, task)
      const uses = options.uses ?? (options.for === undefined ? 1 : 0)
      const invitation = await invite(
        {
          ...{ task, uses, days: options.days },
          subject: options.for ?? null,
          mayInvite: options.mayInvite === true,
          nowMs: Date.now()
        },
        key,
        own
      )
      const via = viaOf(options.via, daemon)
      const link = writeLink({ task, via, invite: invitation })
      const until = dateOf(endOf(invitation.chain))
      const facts = { link, task, issuer: self, for: options.for ?? null, uses, until }
      const notes = notesOn(via, daemon)
      if (options.json === true) return printJson({ ...facts, notes })
      printLine(link)
      for (const note of notes) process.stderr.write(`${note}\n`)
      process.stderr.write(`good until ${until}, ${whom(options.for, uses)}\n`)
    })
}

function whom(peer: string | undefined, uses: number): string {
  if (peer !== undefined) return `for ${peer} alone`
  return uses === 0 ? 'for whoever has it' : `for the first ${uses} to come with it`
}

/** Undefined when no daemon runs here. */
async function statusOf(home: Home): Promise<Status | undefined> {
  try {
    return (await (await ControlClient.open(home)).status()) as Status
  } catch {
    return undefined
  }
}

function viaOf(given: readonly string[], daemon: Status | undefined): string[] {
  for (const address of given) readPeerAddress(address, '--via')
  if (given.length > 0) return [...given]
  return daemon?.join === undefined || daemon.join === null ? [] : [daemon.join]
}

function notesOn(via: readonly string[], daemon: Status | undefined): string[] {
  return [
    ...(via.length > 0
      ? []
      : ['no address is in the link: it works on this local network only; give --via MULTIADDR']),
    ...(daemon !== undefined && daemon.access !== 'invited'
      ? [
          "the daemon that runs here does not ask for invitations: start it with 'starling up --private'"
        ]
      : [])
  ]
}
