import type { Mapping } from './observers.ts'

/** All that a verdict about our reachability rests on. */
export interface ReachFacts {
  /** The public address at which somebody outside has reached us. */
  readonly reached: string | null
  /** A public address of ours, by our interfaces, our router or our user, that nobody has tried. */
  readonly claimed: string | null
  /** Somebody outside tried a public address of ours and could not. */
  readonly isRefused: boolean
  readonly mapping: Mapping
  /** Connections that were punched through routers. */
  readonly punched: number
  /** Peers with whom both ends dialed at once, and nothing came of it, since it last came to something. */
  readonly missed: number
  /** Relays that hold a place for us. */
  readonly relays: readonly string[]
  /** From how far away we can be reached at the addresses that we listen at. */
  readonly listening: 'beyond' | 'loopback' | 'nowhere'
  /** What the router would have to forward, and where to; null when we do not listen on TCP. */
  readonly forward: { readonly port: number; readonly host: string } | null
}

export type Reachability = 'public' | 'punchable' | 'relay-only' | 'isolated' | 'unknown'

export interface Verdict {
  readonly reachability: Reachability
  readonly explanation: string
  /** What to do for being reached better; null when there is nothing to be done. */
  readonly remedy: string | null
}

/** Who can reach us, and how: the best that the facts prove, and no more. */
export function judgeReach(facts: ReachFacts): Verdict {
  const { reached, claimed, isRefused, mapping, punched, relays } = facts
  if (reached !== null) {
    return verdict('public', `others have reached us at ${reached}`, null)
  }
  if (claimed !== null && !isRefused) {
    const what = `${claimed} is a public address; nobody has tried it yet`
    return verdict('public', what, null)
  }
  if (relays.length > 0) return throughRelays(facts)
  if (punched > 0) {
    return verdict('punchable', 'direct connections are made through our router', openPort(facts))
  }
  if (facts.listening !== 'beyond') {
    const where = facts.listening === 'loopback' ? 'on this machine only' : 'nowhere'
    return verdict('isolated', `we listen ${where}`, listenWider)
  }
  if (isRefused || mapping === 'stable' || mapping === 'changing' || mapping === 'none') {
    const why = mapping === 'none' || claimed !== null ? 'a firewall' : 'our router'
    return verdict(
      'isolated',
      `${why} keeps others out: we reach them, they cannot reach us`,
      openPort(facts)
    )
  }
  return verdict(
    'unknown',
    'peers of our own network reach us; nobody outside has been asked',
    'join through a public peer or helper (--join) to find out and to be found'
  )
}

/** Behind a router or a firewall, with helpers that let others in. */
function throughRelays(facts: ReachFacts): Verdict {
  const { mapping, punched, relays } = facts
  const helpers = relays.length === 1 ? 'a helper' : `${relays.length} helpers`
  if (punched > 0 || mapping === 'stable' || mapping === 'none') {
    const what = `others meet us through ${helpers}, and then connect directly`
    return verdict('punchable', what, null)
  }
  if (mapping === 'changing') {
    const what =
      `others reach us through ${helpers} alone: our router takes a new port for every ` +
      'connection, so direct ones to peers behind a router fail'
    return verdict('relay-only', what, openPort(facts))
  }
  if (facts.listening !== 'beyond') {
    return verdict(
      'relay-only',
      `others reach us through ${helpers} alone: we listen on this machine only`,
      listenWider
    )
  }
  if (facts.missed > 0) {
    const what =
      `others reach us through ${helpers} alone: direct connections were tried with ` +
      `${facts.missed === 1 ? 'one peer' : `${facts.missed} peers`} and did not get through our router and theirs`
    return verdict('relay-only', what, openPort(facts))
  }
  const what =
    `others meet us through ${helpers}; whether they can then connect directly shows with the ` +
    'first that tries, or with a second helper'
  return verdict('unknown', what, facts.isRefused ? openPort(facts) : null)
}

const listenWider =
  'connect this machine to a network, and listen on 0.0.0.0 (--listen, or leave it out)'

function openPort({ forward, mapping }: ReachFacts): string {
  const port =
    forward === null
      ? ''
      : mapping === 'none'
        ? `open TCP ${forward.port} in your firewall, or `
        : `open TCP ${forward.port} on your router and forward it to ${forward.host}, or `
  return `${port}run 'starling relay' on a public host and join through it`
}

function verdict(reachability: Reachability, explanation: string, remedy: string | null): Verdict {
  return { reachability, explanation, remedy }
}
