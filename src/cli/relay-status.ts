import type { RelayStatus, RelayedPeer } from '../../peer/relay/status.ts'
import { bytesForPeople, printFacts, printLine, tableOf } from './print.ts'
import { reachFacts } from './reach.ts'

/** What `status` and `peers` say to people where the home is a relay's. */

export function isRelayStatus(status: object): status is RelayStatus {
  return isRelays(status)
}

export interface RelayPeersAnswer {
  readonly role: 'relay'
  readonly peers: readonly RelayedPeer[]
}

export function isRelayAnswer(answer: object): answer is RelayPeersAnswer {
  return isRelays(answer)
}

export function printRelayStatus(status: RelayStatus): void {
  const { connections, reservations, relayed, stun, memory } = status
  printFacts({
    'peer id': status.peerId,
    role: 'relay',
    join: status.join ?? '–',
    ...reachFacts(status),
    connections: `${connections.open} of ${connections.max}, ${connections.handshakes} of them handshakes`,
    reservations: `${reservations.held} of ${reservations.max}`,
    tasks: `${status.tasks.length}, ${status.known} peers known, ${status.helpers.length} other helpers`,
    relayed: `${bytesForPeople(relayed.bytes)} in ${relayed.opened} connections, ${relayed.open} open`,
    cut: listed(relayed.cut),
    refused: listed(status.refused),
    stun:
      stun === null
        ? 'off'
        : `${stun.answered} answered, ${stun.ignored} ignored, ${stun.tooFast} too fast`,
    memory: `${bytesForPeople(memory.bytes)} of ${bytesForPeople(memory.max)}`,
    uptime: `${status.uptimeSeconds} s`
  })
}

export function printRelayedPeers(peers: readonly RelayedPeer[]): void {
  const rows = peers.map(({ peer, addresses, reserved, relayedBytes }) => [
    peer,
    addresses.join(' '),
    reserved ? 'reachable through us' : 'connected',
    bytesForPeople(relayedBytes)
  ])
  printLine(tableOf(['peer', 'from', 'state', 'relayed'], rows))
}

function isRelays(answer: object): boolean {
  return 'role' in answer && answer.role === 'relay'
}

function listed(counts: Readonly<Partial<Record<string, number>>>): string {
  const parts = Object.entries(counts).map(([why, count]) => `${count ?? 0} ${why}`)
  return parts.length === 0 ? 'none' : parts.join(', ')
}
