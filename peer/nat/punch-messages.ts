import * as cbor from '@ipld/dag-cbor'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { z } from 'zod'
import { addressLengthMax, candidatesMax } from '../../src/core/limits.ts'
import { addressOf, endpointOf, type Endpoint } from './endpoint.ts'

/** What two peers say to each other, over a relay, to meet half way (punch.ts). */

/** Why a peer does not meet us now. */
export const refusals = ['busy', 'too-soon', 'already-direct'] as const
export type Refusal = (typeof refusals)[number]

const addresses = z.array(z.string().max(addressLengthMax)).max(candidatesMax)

/** The first word: where I hope to be met. */
export const requestSchema = z.object({ addresses })
/** The second word: where I hope to be met, or why not. */
export const answerSchema = z.union([
  z.object({ refused: z.enum(refusals) }),
  z.object({ addresses })
])
/** The third word: dial as you read this; I dial when it should have reached you. */
export const goSchema = z.object({ go: z.literal(true) })

export type Request = z.infer<typeof requestSchema>
export type Answer = z.infer<typeof answerSchema>
export type Go = z.infer<typeof goSchema>

export function encode(message: Request | Answer | Go): Uint8Array {
  return cbor.encode(message)
}

/** @returns undefined when these bytes say nothing of that kind */
export function decode<Message>(
  schema: z.ZodType<Message>,
  bytes: Uint8Array
): Message | undefined {
  try {
    return schema.safeParse(cbor.decode(bytes)).data
  } catch {
    return undefined
  }
}

/**
 * Addresses that a peer asks us to dial. It may lie, to have us knock at somebody else's door: so
 * never more than candidatesMax, all at one IP address of each version, no port of a system service,
 * never ourselves, and only where that very peer can prove that it is there.
 *
 * @param isAcceptable - public addresses, outside of tests
 * @param own - where we can be reached ourselves
 */
export function meetingPlaces(
  peer: string,
  claims: readonly string[],
  isAcceptable: (endpoint: Endpoint) => boolean,
  own: readonly Endpoint[]
): Multiaddr[] {
  const places = new Map<string, Endpoint>()
  const ips = new Map<Endpoint['family'], string>()
  const ours = new Set(own.map(addressOf))
  for (const claim of claims.slice(0, candidatesMax)) {
    const endpoint = endpointOf(claim)
    if (endpoint === undefined || endpoint.port < 1024 || !isAcceptable(endpoint)) continue
    if (claim.includes('/p2p/') && !claim.endsWith(`/p2p/${peer}`)) continue
    if ((ips.get(endpoint.family) ?? endpoint.ip) !== endpoint.ip) continue
    const name = addressOf(endpoint)
    if (ours.has(name)) continue
    ips.set(endpoint.family, endpoint.ip)
    places.set(name, endpoint)
  }
  return [...places.keys()].map((name) => multiaddr(`${name}/p2p/${peer}`))
}
