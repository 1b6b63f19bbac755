import { StarlingError } from '../src/core/errors.ts'
import type { AccessEvent } from './access/admission.ts'
import type { BodyEvent } from './body.ts'
import { printable } from './log.ts'
import type { PeerAddress } from './network/addresses.ts'

/**
 * When those whom the user told us to join do not want us, or work on another task, and nobody else is
 * there, going on alone is not what was meant. One of several that refuses is not enough: it may lie.
 *
 * @param hasPeers - whether there is anybody of our swarm
 * @param fail - called once, with what to tell the user
 * @returns a listener of events
 */
export function endWhenRefused(
  bootstraps: readonly PeerAddress[],
  hasPeers: () => boolean,
  fail: (failure: StarlingError) => void
): (event: BodyEvent) => void {
  const hopes = new Map(bootstraps.map(({ peer, address }) => [peer, address.toString()]))
  const lost = new Set<string>()
  let refusal: StarlingError | undefined
  return (event) => {
    if (event.kind === 'bootstrap-unreachable') {
      for (const [peer, address] of hopes) if (address === event.address) lost.add(peer)
    } else if (event.kind === 'peer-refused' || event.kind === 'not-admitted') {
      if (!hopes.has(event.peer)) return
      if (event.kind === 'not-admitted' && event.by === 'us') return
      lost.add(event.peer)
      refusal ??= event.kind === 'not-admitted' ? notAdmitted(event) : otherTask(event)
    } else {
      return
    }
    if (refusal !== undefined && lost.size === hopes.size && !hasPeers()) fail(refusal)
  }
}

function otherTask(event: Extract<BodyEvent, { kind: 'peer-refused' }>): StarlingError {
  return new StarlingError(
    'STARLING_TASK_MISMATCH',
    `the swarm at ${event.peer} works on task ${event.theirs}; ours is ${event.ours}. ` +
      'Leave out --task to work on theirs, in a home of its own (--home), or join another swarm'
  )
}

function notAdmitted({ peer, reason, detail }: AccessEvent): StarlingError {
  return new StarlingError(
    'STARLING_NOT_ADMITTED',
    `the swarm at ${peer} does not let us in: ${printable(detail)}. ` +
      "Ask one of its members for a link ('starling invite'), and join with that",
    { peer, reason }
  )
}
