import { multiaddr } from '@multiformats/multiaddr'
import { isPublic, isRelayed, reachOf } from '../network/addresses.ts'
import { joinLine, type JoinLine } from '../network/join-line.ts'
import type { StarlingNode } from '../network/network.ts'
import { portOf } from './dial-back.ts'
import type { RouterFound } from './mapping/gateway.ts'
import type { Mapping } from './observers.ts'
import { judgeReach, type Verdict } from './reachability.ts'

/** How others can reach us, as `status` tells it; the names are a promise to programs. */
export interface Reached extends Verdict {
  /** Public addresses at which somebody outside has reached us. */
  readonly verified: readonly string[]
  readonly mapping: Mapping
  /** Where far ends see our connections come from; none when unknown or when they disagree. */
  readonly external: readonly string[]
  /** Helpers that hold a place for us. */
  readonly relays: readonly string[]
  /** Routers that were found, and what they forward to us; null when none is looked for. */
  readonly gateways: readonly RouterFound[] | null
  /** From where the join line works; null when we listen nowhere. */
  readonly joinNote: string | null
}

/** What is known of our router by those who watch connections. */
export interface Seen {
  readonly mapping: Mapping
  readonly external: readonly string[]
  /** Connections that were punched through routers. */
  readonly punched: number
  /** Peers with whom that was tried in vain, since it last came to something. */
  readonly missed: number
}

export interface ReachOfNode extends Reached {
  /** What others join us by; undefined when we listen nowhere. */
  readonly line: JoinLine | undefined
}

/**
 * @param addresses - our own, as they are told to others
 */
export function reachOfNode(
  node: StarlingNode,
  addresses: readonly string[],
  seen: Seen
): ReachOfNode {
  const { proofs, relays, router } = node.services
  const [reached, unreachable] = [proofs.reached, proofs.unreachable]
  const worldwide = (text: string): boolean => isPublic(multiaddr(text))
  const direct = addresses.filter((text) => !isRelayed(multiaddr(text)))
  const verified = reached.filter(worldwide)
  const local = direct.find((text) => reachOf(multiaddr(text)) === 'lan')
  const held = relays?.held ?? []
  const verdict = judgeReach({
    reached: verified[0] ?? null,
    claimed: direct.find(worldwide) ?? null,
    isRefused: unreachable.some(worldwide),
    mapping: seen.mapping,
    punched: seen.punched,
    missed: seen.missed,
    relays: held,
    listening: listeningOf(direct),
    forward: local === undefined ? null : forwardTo(local)
  })
  const line = joinLine(node.peerId.toString(), addresses, { reached, unreachable })
  return {
    ...verdict,
    verified,
    mapping: seen.mapping,
    external: seen.external,
    relays: held,
    gateways: router?.gateways ?? null,
    joinNote: line?.note ?? null,
    line
  }
}

function listeningOf(direct: readonly string[]): 'beyond' | 'loopback' | 'nowhere' {
  if (direct.length === 0) return 'nowhere'
  const isLoopback = direct.every((text) => reachOf(multiaddr(text)) === 'loopback')
  return isLoopback ? 'loopback' : 'beyond'
}

function forwardTo(local: string): { port: number; host: string } | null {
  const address = multiaddr(local)
  const port = portOf(address)
  const host = address.getComponents()[0]?.value
  return port === undefined || host === undefined ? null : { port, host }
}
