import type { Connection, IdentifyResult } from '@libp2p/interface'
import { storedAddressesMax } from '../../src/core/limits.ts'
import type { Guard } from '../guarded.ts'
import type { DialRules } from './hygiene.ts'
import type { StarlingNode } from './network.ts'

/**
 * Keep what libp2p remembers of addresses small, and tell the judge of dials whom we met.
 * @returns stops
 */
export function keepAddressBook(
  node: StarlingNode,
  guard: Guard,
  rules: DialRules | undefined
): () => void {
  const onOpen = ({ detail }: CustomEvent<Connection>) => rules?.met(detail.remoteAddr)
  const onIdentify = ({ detail }: CustomEvent<IdentifyResult>) => shorten(node, detail)
  const stops = [
    guard.listen(node, 'connection:open', onOpen),
    guard.listen(node, 'peer:identify', onIdentify)
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

/** In one identify message there is room for eight thousand addresses, and libp2p stores them all. */
async function shorten(
  node: StarlingNode,
  { peerId, listenAddrs, signedPeerRecord, protocols }: IdentifyResult
): Promise<void> {
  const told = signedPeerRecord?.addresses ?? listenAddrs
  if (told.length <= storedAddressesMax) return
  const multiaddrs = told.slice(0, storedAddressesMax)
  await node.peerStore.save(peerId, { multiaddrs, protocols })
}
