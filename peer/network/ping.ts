import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { StarlingError } from '../../src/core/errors.ts'
import { reasonOf } from '../reason.ts'
import { readPeerAddress } from './addresses.ts'
import type { StarlingNode } from './network.ts'

/** How a peer answered. */
export interface Pong {
  readonly peer: string
  /** From asking to the answer, in milliseconds. */
  readonly ms: number
  /** Where the connection leads. */
  readonly address: string
  /** Whether it does so without a relay. */
  readonly direct: boolean
}

/**
 * Ask a peer to answer, over a connection that is there or a new one.
 *
 * @param target - a peer id, or a multiaddr with one
 * @throws STARLING_BAD_ARGUMENT, STARLING_BAD_MULTIADDR when it is neither
 * @throws STARLING_UNREACHABLE when nobody answers in time
 */
export async function ping(node: StarlingNode, target: string, msMax: number): Promise<Pong> {
  const isAddress = target.startsWith('/')
  const peer = isAddress ? readPeerAddress(target, 'ping').peer : readPeerId(target)
  const id = peerIdFromString(peer)
  const signal = AbortSignal.timeout(msMax)
  try {
    // The connection first: its time is not that of an answer.
    const connection = await node.dial(isAddress ? multiaddr(target) : id, { signal })
    const ms = await node.services.ping.ping(id, { signal })
    return { peer, ms, address: connection.remoteAddr.toString(), direct: connection.direct }
  } catch (failure) {
    throw new StarlingError(
      'STARLING_UNREACHABLE',
      `${target} does not answer: ${reasonOf(failure)}`,
      { target }
    )
  }
}

function readPeerId(text: string): string {
  try {
    return peerIdFromString(text).toString()
  } catch {
    throw new StarlingError(
      'STARLING_BAD_ARGUMENT',
      `'${text.slice(0, 80)}' is neither a peer id ('starling peers' lists them) nor a multiaddr`
    )
  }
}
