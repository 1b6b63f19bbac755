import type { ConnectionView } from '../../peer/network/connections.ts'
import { bytesForPeople, printLine, tableOf } from './print.ts'

/** What a daemon answers when it is asked for its peers, as far as it is shown to people. */
export interface PeersAnswer {
  readonly peers: readonly {
    readonly peer: string
    readonly introduced: boolean
    readonly round: number
    readonly age: number
  }[]
  readonly connections: readonly ConnectionView[]
}

/** One row a connection: a peer may be connected in several ways for a while, and a helper learns nothing. */
export function printPeers({ peers, connections }: PeersAnswer): void {
  const byId = new Map(peers.map((each) => [each.peer, each]))
  const rows = connections.map((connection) => {
    const learner = byId.get(connection.peer)
    const state = learner === undefined ? 'helper' : learner.introduced ? 'same task' : 'connected'
    return [
      connection.peer,
      state,
      pathOf(connection),
      connection.rttMs === null ? '–' : `${connection.rttMs} ms`,
      bytesForPeople(connection.bytesSent),
      bytesForPeople(connection.bytesReceived),
      learner?.round ?? '–',
      learner?.age ?? '–'
    ]
  })
  const head = ['peer', 'state', 'path', 'rtt', 'sent', 'received', 'round', 'samples seen']
  printLine(tableOf(head, rows))
}

function pathOf({ kind, limited }: ConnectionView): string {
  return limited ? `${kind}, no models` : kind
}
