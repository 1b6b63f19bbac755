import { Command } from 'commander'
import { StarlingError } from '../core/errors.ts'
import type { RelayStatus } from '../../peer/relay/status.ts'
import type { Status } from '../../peer/status.ts'
import { ControlClient } from '../../peer/control-client.ts'
import { homeAt } from '../../peer/home.ts'
import { bytesForPeople, percent, printFacts, printJson, printLine, tableOf } from './print.ts'
import { reachFacts } from './reach.ts'
import {
  isRelayAnswer,
  isRelayStatus,
  printRelayedPeers,
  printRelayStatus,
  type RelayPeersAnswer
} from './relay-status.ts'
import { withCommonOptions, type CommonOptions } from './settings.ts'

/** How long a daemon may take to be gone: it promises five seconds. */
const stopMsMax = 10_000
const lookAgainMs = 50

export function statusCommand(): Command {
  return withCommonOptions(new Command('status'))
    .description('say how the running daemon is')
    .addHelpText('after', '\nExample:\n  $ starling status --json')
    .action(async (options: CommonOptions) => {
      const client = await ControlClient.open(homeAt(options.home))
      const status = (await client.status()) as Status | RelayStatus
      if (options.json === true) return printJson(status)
      if (isRelayStatus(status)) return printRelayStatus(status)
      printFacts({
        'peer id': status.peerId,
        task: status.task ?? 'none yet',
        state: `${status.state}, round ${status.round}, ${status.steps} steps, ${status.samplesSeen} samples seen`,
        loss: status.loss?.toFixed(4) ?? '–',
        accuracy: percent(status.accuracy),
        peers: `${status.peers.connected} connected, ${status.peers.known} known`,
        ...reachFacts(status),
        join: status.join ?? '–',
        exchanges: `${status.exchanges.ok} ok, ${status.exchanges.failed} failed, ${status.exchanges.rejected} rejected`,
        merging: mergingLine(status),
        bytes: `${bytesForPeople(status.bytes.sent)} sent, ${bytesForPeople(status.bytes.received)} received`,
        checkpoint: status.lastCheckpoint ?? 'none yet',
        uptime: `${status.uptimeSeconds} s`
      })
    })
}

/** What came of merging, as far as people want to know it at a glance. */
function mergingLine({ merging, lineages }: Status): string {
  if (merging.rule === null || merging.merges === 0) return 'none yet'
  const parts = [
    `${merging.merges} by ${merging.rule}`,
    `${Math.round(merging.ms)} ms in all`,
    `distance ${merging.consensusDistance?.toPrecision(2) ?? '–'}`,
    `variance ${merging.varianceRatio?.toPrecision(3) ?? '–'} of the first`,
    ...(merging.gap === null ? [] : [`accuracy ${percent(merging.gap)} by the last one`]),
    ...(lineages > 1 ? [`${lineages} lineages`] : []),
    ...(merging.rolledBack > 0 ? [`${merging.rolledBack} taken back`] : []),
    ...Object.entries(merging.rejectedBy).map(([reason, count]) => `${count} left out: ${reason}`),
    ...(merging.degraded === null ? [] : [merging.degraded])
  ]
  return parts.join(', ')
}

interface PeersAnswer {
  readonly peers: readonly {
    readonly peer: string
    readonly introduced: boolean
    readonly round: number
    readonly age: number
  }[]
}

export function peersCommand(): Command {
  return withCommonOptions(new Command('peers'))
    .description('list the peers of the running daemon')
    .addHelpText('after', '\nExample:\n  $ starling peers')
    .action(async (options: CommonOptions) => {
      const client = await ControlClient.open(homeAt(options.home))
      const answer = (await client.peers()) as PeersAnswer | RelayPeersAnswer
      if (options.json === true) return printJson(answer)
      if (isRelayAnswer(answer)) return printRelayedPeers(answer.peers)
      const rows = answer.peers.map(({ peer, introduced, round, age }) => [
        peer,
        introduced ? 'same task' : 'connected',
        round,
        age
      ])
      printLine(tableOf(['peer', 'state', 'round', 'samples seen'], rows))
    })
}

export function stopCommand(): Command {
  return withCommonOptions(new Command('stop'))
    .description('stop the running daemon: it says goodbye, saves and ends')
    .addHelpText('after', '\nExample:\n  $ starling stop')
    .action(async (options: CommonOptions) => {
      const client = await ControlClient.open(homeAt(options.home))
      await client.stop()
      if (!(await isGone(client.pid))) {
        throw new StarlingError(
          'STARLING_WORKER_FAILED',
          `the daemon (process ${client.pid}) has not ended within ${stopMsMax / 1000} s`
        )
      }
      if (options.json === true) printJson({ stopped: true, pid: client.pid })
      else printLine(`stopped (process ${client.pid})`)
    })
}

async function isGone(pid: number): Promise<boolean> {
  const untilMs = performance.now() + stopMsMax
  while (performance.now() < untilMs) {
    try {
      process.kill(pid, 0)
    } catch {
      return true
    }
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs))
  }
  return false
}
