import { Command } from 'commander'
import { setTimeout as pause } from 'node:timers/promises'
import { ControlClient } from '../../peer/control-client.ts'
import { homeAt } from '../../peer/home.ts'
import type { Pong } from '../../peer/network/ping.ts'
import { wholeNumber } from './arguments.ts'
import { printJson, printLine } from './print.ts'
import { withCommonOptions, type CommonOptions } from './settings.ts'

const betweenMs = 1_000

export function pingCommand(): Command {
  return withCommonOptions(new Command('ping'))
    .description('have the running daemon ask a peer to answer')
    .argument('<peer>', "its peer id ('starling peers' lists some), or a multiaddr")
    .option('--count <n>', 'how many times', wholeNumber(1, 1_000), 3)
    .addHelpText(
      'after',
      `
Examples:
  $ starling ping 12D3KooW…
  $ starling ping /ip4/192.0.2.7/tcp/4001/p2p/12D3KooW… --count 1 --json`
    )
    .action(async (peer: string, options: CommonOptions & { readonly count: number }) => {
      const client = await ControlClient.open(homeAt(options.home))
      const pongs: Pong[] = []
      for (let i = 0; i < options.count; i++) {
        if (i > 0) await pause(betweenMs)
        const pong = (await client.ping(peer)) as Pong
        pongs.push(pong)
        if (options.json !== true) printLine(lineOf(pong))
      }
      if (options.json === true) printJson({ pongs })
    })
}

function lineOf({ peer, ms, address, direct }: Pong): string {
  return `${peer} answers after ${ms} ms, ${direct ? 'directly' : 'through a relay'} at ${address}`
}
