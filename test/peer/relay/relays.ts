import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { onTestFinished } from 'vitest'
import { commonServices, commonSettings } from '../../../peer/network/network.ts'
import { relayLimitDefaults, type RelayLimits } from '../../../peer/relay/limits.ts'
import {
  startRelay,
  type Relay,
  type RelayEvent,
  type RelayOptions
} from '../../../peer/relay/relay.ts'
import { scratchDirectory } from '../scratch.ts'
import { Journal } from '../swarm.ts'

/** A relay on loopback, and peers that know nothing else. */

export interface TestRelay {
  readonly relay: Relay
  readonly events: Journal<RelayEvent>
  /** Where it is, with its peer id. */
  readonly address: string
}

export async function relayWith(
  limits: Partial<RelayLimits> = {},
  options: Partial<RelayOptions> = {}
): Promise<TestRelay> {
  const events = new Journal<RelayEvent>()
  const relay = await startRelay({
    home: await scratchDirectory(),
    listen: ['/ip4/127.0.0.1/tcp/0'],
    announce: [],
    bootstrap: [],
    swarmKey: null,
    stunPort: null,
    controlPort: 0,
    limits: { ...relayLimitDefaults, ...limits },
    version: '0.0.0',
    onEvent: (event) => events.add(event),
    ...options
  })
  onTestFinished(() => relay.stop())
  const address = relay.status().join ?? ''
  return { relay, events, address }
}

/** A peer that listens nowhere itself. With `through`, it can be reached through that relay. */
export async function member(through?: string): Promise<Libp2p> {
  const settings = await commonSettings({
    privateKey: await generateKeyPair('Ed25519'),
    listen: [],
    announce: [],
    datastorePath: null,
    onTrouble: () => undefined
  })
  const node = await createLibp2p({
    ...settings,
    addresses: { listen: through === undefined ? [] : [`${through}/p2p-circuit`] },
    transports: [tcp(), circuitRelayTransport()],
    services: commonServices()
  })
  onTestFinished(async () => node.stop())
  await node.start()
  return node
}

/** Connect one member to another through a relay. */
export function reach(from: Libp2p, to: Libp2p, { address }: TestRelay): Promise<Connection> {
  return from.dial(multiaddr(`${address}/p2p-circuit/p2p/${to.peerId.toString()}`))
}

/** Everything that arrives on a stream, until its other end has written all; rejects when it breaks. */
export function readAll(stream: Stream): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  stream.addEventListener('message', ({ data }) => pieces.push(data.subarray()))
  stream.addEventListener('end', () => resolve(Buffer.concat(pieces)))
  stream.addEventListener('close', ({ error }) => {
    if (error !== undefined) reject(error)
  })
  return promise
}

/** Write as fast as the stream takes it. */
export async function writeAll(stream: Stream, bytes: Uint8Array): Promise<void> {
  const chunkBytes = 64 * 1024
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    if (stream.send(bytes.subarray(at, at + chunkBytes))) continue
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    stream.addEventListener('drain', () => resolve(), { once: true })
    stream.addEventListener('close', () => reject(new Error('closed')), { once: true })
    await promise
  }
  await stream.close()
}
