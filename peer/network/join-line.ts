import { multiaddr } from '@multiformats/multiaddr'
import { reachOf, tellable, type Reach } from './addresses.ts'

export interface JoinLine {
  /** Complete: another peer can hand it to `--join`. */
  readonly address: string
  /** From where that will work. */
  readonly reach: Reach
  /** The same for people. */
  readonly note: string
}

/** What others found out about our addresses by dialling them. */
export interface Tried {
  readonly reached: readonly string[]
  readonly unreachable: readonly string[]
}

const notes: Record<Reach, string> = {
  public: 'works from anywhere, unless a firewall is in between',
  relayed: 'works from anywhere, through a helper, for as long as that lives',
  lan:
    'works from the same local network; to be found from elsewhere, join through a helper, or ' +
    'forward a TCP port of your router to this machine and give --port and --public-ip',
  loopback: 'works on this machine only; listen on 0.0.0.0 to be reached from others'
}

/**
 * The one address worth passing on: a public one that others have reached if there is one, else one
 * that nobody has tried in vain, else one through a helper, one of the local network, or loopback.
 *
 * @param addresses - our own, with or without our peer id
 * @returns undefined when we listen nowhere
 */
export function joinLine(
  self: string,
  addresses: readonly string[],
  tried: Tried = { reached: [], unreachable: [] }
): JoinLine | undefined {
  const ours = tellable(addresses.map((address) => multiaddr(address)))
  const rank = (address: string): number => {
    const reach = reachOf(multiaddr(address))
    if (reach !== 'public') return ranks[reach]
    if (tried.reached.includes(address)) return ranks.reached
    return tried.unreachable.includes(address) ? ranks.unreachable : ranks.public
  }
  const [best] = ours.sort((a, b) => rank(a) - rank(b))
  if (best === undefined) return undefined
  const reach = reachOf(multiaddr(best))
  const note = tried.reached.includes(best) && reach === 'public' ? reachedNote : notes[reach]
  return { address: `${best}/p2p/${self}`, reach, note }
}

const ranks = { reached: 0, public: 1, relayed: 2, unreachable: 3, lan: 4, loopback: 5 } as const
const reachedNote = 'works from anywhere'
