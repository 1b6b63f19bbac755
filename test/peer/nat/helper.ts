import { circuitRelayServer } from '@libp2p/circuit-relay-v2'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { createLibp2p, type Libp2p } from 'libp2p'
import { onTestFinished } from 'vitest'
import { commonServices, commonSettings } from '../../../peer/network/network.ts'

export interface HelperOptions {
  readonly privateKey?: PrivateKey
  /** TCP port; 0 for any. */
  readonly port?: number
  readonly places?: number
}

/** A relay as small as can be: what members see of `starling relay`. */
export async function startHelper(options: HelperOptions = {}): Promise<Libp2p> {
  const { privateKey = await generateKeyPair('Ed25519'), port = 0, places = 10 } = options
  const settings = await commonSettings({
    privateKey,
    listen: [`/ip4/127.0.0.1/tcp/${port}`],
    announce: [],
    datastorePath: null,
    onTrouble: () => undefined
  })
  const node = await createLibp2p({
    ...settings,
    start: true,
    transports: [tcp()],
    services: {
      ...commonServices(),
      relay: circuitRelayServer({ reservations: { maxReservations: places } })
    }
  })
  onTestFinished(async () => node.stop())
  return node
}

export function portOfNode(node: Libp2p): number {
  const [address] = node.getMultiaddrs()
  return Number(address?.getComponents().find(({ name }) => name === 'tcp')?.value)
}

/** Settles when it holds; looks again whenever the node's own addresses or connections change. */
export async function until(
  node: Libp2p,
  holds: () => boolean,
  deadlineMs = 20_000
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const look = (): void => {
    if (holds()) resolve()
  }
  const kinds = [
    'self:peer:update',
    'connection:open',
    'connection:close',
    'peer:identify'
  ] as const
  for (const kind of kinds) node.addEventListener(kind, look)
  const timer = setTimeout(() => reject(new Error(`it never came to ${String(holds)}`)), deadlineMs)
  look()
  await promise.finally(() => {
    clearTimeout(timer)
    for (const kind of kinds) node.removeEventListener(kind, look)
  })
}
