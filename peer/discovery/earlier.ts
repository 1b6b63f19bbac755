import { RELAY_V2_HOP_CODEC } from '@libp2p/circuit-relay-v2'
import type { Peer, PeerStore } from '@libp2p/interface'
import type { Contact } from '../../protocols/messages.ts'
import { recordsPerMessageMax } from '../../src/core/limits.ts'
import { tellable } from '../network/addresses.ts'

/** Where libp2p notes when it last reached a peer, as ISO 8601. */
const lastDial = 'last-dial-success'

/**
 * Peers of earlier runs, the one that we reached last first: with all bootstraps dead they are the way
 * back into the swarm. Helpers are left out: whoever keeps relays remembers those.
 *
 * @param protocol - what a peer must have spoken
 */
export async function earlierPeers(
  peers: PeerStore,
  self: string,
  protocol: string
): Promise<Contact[]> {
  const known = await peers.all()
  return known
    .filter(({ id, protocols }) => id.toString() !== self && protocols.includes(protocol))
    .filter(({ protocols, addresses }) => addresses.length > 0 && !isHelper(protocols))
    .sort((a, b) => (reachedAt(a) < reachedAt(b) ? 1 : -1))
    .slice(0, recordsPerMessageMax)
    .map(({ id, addresses }) => ({
      peer: id.toString(),
      addresses: tellable(addresses.map(({ multiaddr: address }) => address))
    }))
}

function isHelper(protocols: readonly string[]): boolean {
  return protocols.includes(RELAY_V2_HOP_CODEC)
}

function reachedAt({ metadata }: Peer): string {
  const bytes = metadata.get(lastDial)
  return bytes === undefined ? '' : new TextDecoder().decode(bytes)
}
