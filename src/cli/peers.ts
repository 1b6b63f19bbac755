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
  /** Peers that serve and do not learn. */
  readonly helpers: readonly string[]
}

/** One row a connection: a peer may be connected in several ways for a while. */
export function printPeers({ peers, connections, helpers }: PeersAnswer): void {
  const byId = new Map(peers.map((each) => [each.peer, each]))
  const rows = connections.map((connection) => {
    const learner = byId.get(connection.peer)
    return [
      connection.peer,
      stateOf(learner?.introduced === true, helpers.includes(connection.peer)),
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

function stateOf(isSameTask: boolean, isHelper: boolean): string {
  if (isSameTask) return 'same task'
  return isHelper ? 'helper' : 'connected'
}

function pathOf({ kind, limited }: ConnectionView): string {
  return limited ? `${kind}, no models` : kind
}
