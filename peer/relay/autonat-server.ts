import { autoNATv2, type AutoNATv2Components } from '@libp2p/autonat-v2'
import type { Startable } from '@libp2p/interface'

/**
 * The half of AutoNAT v2 that answers. The other half asks strangers about addresses of ours that nobody
 * has confirmed, and for as long as there is one it walks the DHT, ten seconds of every minute: with two
 * peers around, that was fifty packets a second for each of them. What it would find out, proofs.ts does.
 */
export function autonatServer(): (components: AutoNATv2Components) => Startable {
  return (components) => {
    const service = autoNATv2()(components) as { readonly server: Startable }
    return service.server
  }
}
