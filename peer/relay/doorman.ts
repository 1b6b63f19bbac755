import type { ConnectionGater, MultiaddrConnection } from '@libp2p/interface'
import type { Guard } from '../guarded.ts'
import { reachOf } from '../network/addresses.ts'
import { placeOf } from '../network/place.ts'
import type { Gate, Visit } from './gate.ts'
import type { Refusal, Tally } from './refusals.ts'

export interface DoormanParts {
  readonly gate: Gate
  readonly guard: Guard
  readonly refused: Tally<Refusal>
  readonly nowMs: () => number
  readonly memoryBytes: () => number
  /** Whether we are reached by the world, and have no business in private networks. */
  readonly isPublic: boolean
}

/** The gate, as libp2p asks for it. */
export function doorman(parts: DoormanParts): ConnectionGater {
  const { gate, guard, refused, nowMs, memoryBytes } = parts
  const visits = new WeakMap<MultiaddrConnection, Visit>()
  return {
    denyInboundConnection: guard.answer('a new connection', true, (connection) => {
      const entered = gate.enter(placeOf(connection.remoteAddr), memoryBytes(), nowMs())
      if (typeof entered === 'string') {
        refused.add(entered)
        return true
      }
      visits.set(connection, entered)
      guard.listen(connection, 'close', () => entered.leave())
      return false
    }),
    denyInboundUpgradedConnection: guard.answer('a connection', false, (_, connection) => {
      visits.get(connection)?.settle()
      return false
    }),
    // Addresses that strangers tell us may be those of our provider's inner network.
    denyDialMultiaddr: (address) => parts.isPublic && reachOf(address) !== 'public'
  }
}
