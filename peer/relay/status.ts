import type { Rendezvous } from '../../protocols/rendezvous.ts'
import type { Libp2pBody } from '../body.ts'
import type { StarlingNode } from '../network/network.ts'
import type { Status } from '../status.ts'
import type { Budget } from './budget.ts'
import type { Circuits } from './circuits.ts'
import type { Gate } from './gate.ts'
import type { RelayLimits } from './limits.ts'
import type { Cut, Refusal, Tally } from './refusals.ts'
import type { StunServer } from './stun.ts'

/** What `status` tells of a relay; the names are a promise to programs. */
export interface RelayStatus {
  readonly role: 'relay'
  readonly peerId: string
  readonly version: string
  readonly reachability: Status['reachability']
  readonly reach: Status['reach']
  readonly listen: readonly string[]
  readonly join: string | null
  readonly connections: {
    /** From others, unfinished handshakes included. */
    readonly open: number
    readonly handshakes: number
    readonly max: number
  }
  readonly reservations: { readonly held: number; readonly max: number }
  readonly relayed: {
    /** Connections at this moment, and since the start. */
    readonly open: number
    readonly opened: number
    readonly bytes: number
    /** How many were cut, by reason. */
    readonly cut: Readonly<Partial<Record<Cut, number>>>
    /** What each may have; null for no limit. */
    readonly bytesPerConnection: number | null
    readonly secondsPerConnection: number | null
  }
  /** Tasks that newcomers are told of, with how many of their peers are connected. */
  readonly tasks: readonly { readonly task: string; readonly peers: number }[]
  /** Peers of which we have a record, of all tasks. */
  readonly known: number
  /** Connected helpers, by peer id. */
  readonly helpers: readonly string[]
  /** Who was told no, by reason. */
  readonly refused: Readonly<Partial<Record<Refusal, number>>>
  readonly stun: {
    readonly port: number
    readonly answered: number
    readonly ignored: number
    readonly tooFast: number
  } | null
  /** Resident, in bytes. */
  readonly memory: { readonly bytes: number; readonly max: number }
  /** Contained failures of our own code: anything but 0 is worth a report. */
  readonly bugs: number
  readonly uptimeSeconds: number
}

export interface RelayParts {
  readonly node: StarlingNode
  readonly machine: Rendezvous
  readonly body: Libp2pBody
  readonly gate: Gate
  readonly circuits: Circuits
  readonly budget: Budget
  readonly refused: Tally<Refusal>
  readonly stun: StunServer | undefined
  readonly limits: RelayLimits
  readonly version: string
}

/** Everything in a status but what the process itself knows. */
export function describeRelay(
  parts: RelayParts
): Omit<RelayStatus, 'memory' | 'bugs' | 'uptimeSeconds'> {
  const { node, machine, body, gate, circuits, budget, refused, stun, limits } = parts
  const { tasks, known, helpers } = machine.snapshot()
  const { reachability, line, ...reach } = body.reach()
  return {
    role: 'relay',
    peerId: body.self,
    version: parts.version,
    reachability,
    reach,
    listen: node.getMultiaddrs().map(String),
    join: line?.address ?? null,
    connections: { open: gate.connections, handshakes: gate.handshakes, max: limits.connections },
    reservations: { held: circuits.reservations, max: limits.reservations },
    relayed: {
      open: circuits.open,
      opened: circuits.opened,
      bytes: budget.bytes,
      cut: circuits.cuts.counts,
      bytesPerConnection: finite(limits.bytesPerCircuit),
      secondsPerConnection: finite(limits.secondsPerCircuit)
    },
    tasks,
    known,
    helpers,
    refused: refused.counts,
    stun:
      stun === undefined
        ? null
        : {
            port: stun.port,
            answered: stun.answered,
            ignored: stun.ignored,
            tooFast: stun.tooFast
          }
  }
}

export interface RelayedPeer {
  readonly peer: string
  /** Where it connects from. */
  readonly addresses: readonly string[]
  /** Whether it can be reached through us. */
  readonly reserved: boolean
  /** Relayed to and from it, in bytes, since it made its reservation. */
  readonly relayedBytes: number
}

export function peersOf(node: StarlingNode, circuits: Circuits): readonly RelayedPeer[] {
  return node.getPeers().map((id) => {
    const bytes = circuits.bytesOf(id.toString())
    return {
      peer: id.toString(),
      addresses: node.getConnections(id).map(({ remoteAddr }) => remoteAddr.toString()),
      reserved: bytes !== undefined,
      relayedBytes: bytes ?? 0
    }
  })
}

function finite(limit: number): number | null {
  return Number.isFinite(limit) ? limit : null
}
