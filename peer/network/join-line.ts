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

const notes: Record<Reach, string> = {
  public: 'works from anywhere, unless a firewall is in between',
  lan:
    'works from the same local network; to be found from elsewhere, forward a TCP port of your ' +
    'router to this machine and give --port and --public-ip',
  loopback: 'works on this machine only; listen on 0.0.0.0 to be reached from others'
}

/**
 * The one address worth passing on: a public one if there is one, else one of the local network,
 * else loopback.
 *
 * @param addresses - our own, with or without our peer id
 * @returns undefined when we listen nowhere
 */
export function joinLine(self: string, addresses: readonly string[]): JoinLine | undefined {
  const best = tellable(addresses.map((address) => multiaddr(address)))[0]
  if (best === undefined) return undefined
  const reach = reachOf(multiaddr(best))
  return { address: `${best}/p2p/${self}`, reach, note: notes[reach] }
}
