import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection } from '@libp2p/interface'
import { tcp } from '@libp2p/tcp'
import { lpStream } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { describe, expect, it, onTestFinished } from 'vitest'
import { dialBackProtocol } from '../../../peer/nat/dial-back.ts'
import { proofs, type ProofsOptions } from '../../../peer/nat/proofs.ts'
import { commonServices, commonSettings } from '../../../peer/network/network.ts'
import { dialBacksPerMinuteMax } from '../../../src/core/limits.ts'
import { portOfNode, until } from './helper.ts'

/** On loopback everybody's word counts, and nobody waits. */
const onLoopback: Partial<ProofsOptions> = { isWitness: () => true, settleMs: 1 }

async function nodeWith(options: Partial<ProofsOptions> = {}, listen = '/ip4/127.0.0.1/tcp/0') {
  const settings = await commonSettings({
    privateKey: await generateKeyPair('Ed25519'),
    listen: [listen],
    announce: [],
    datastorePath: null,
    onTrouble: () => undefined
  })
  const node = await createLibp2p({
    ...settings,
    start: true,
    transports: [tcp()],
    connectionManager: { inboundConnectionThreshold: Infinity },
    services: { ...commonServices(), proofs: proofs({ ...onLoopback, ...options }) }
  })
  onTestFinished(async () => node.stop())
  return node
}

const never = { isWitness: () => false }

/** One question by hand. @returns the verdict byte and the address */
async function ask(connection: Connection, request: Uint8Array): Promise<[number, string]> {
  const stream = await connection.newStream(dialBackProtocol)
  const messages = lpStream(stream)
  await messages.write(request)
  const [verdict = -1, ...bytes] = (await messages.read()).subarray()
  await stream.close()
  return [verdict, bytes.length === 0 ? '' : multiaddr(Uint8Array.from(bytes)).toString()]
}

const bytesOf = (port: number): Uint8Array => Uint8Array.of(port >> 8, port & 0xff)

describe('being dialled back', () => {
  it('proves the address that we listen at, as soon as we meet one peer', async () => {
    const [helper, ana] = [await nodeWith(never), await nodeWith()]
    await ana.dial(helper.getMultiaddrs()[0]!)
    const ours = `/ip4/127.0.0.1/tcp/${portOfNode(ana)}`
    await until(ana, () => ana.services.proofs.reached.includes(ours), 5_000)
    expect(ana.services.proofs.unreachable).toEqual([])
  })

  it('is told to whoever wants to know, when it changes', async () => {
    const [helper, ana] = [await nodeWith(never), await nodeWith()]
    const told = new Promise<string[]>((resolve) => {
      ana.services.proofs.onChange(() => resolve(ana.services.proofs.reached))
    })
    await ana.dial(helper.getMultiaddrs()[0]!)
    expect(await told).toEqual([`/ip4/127.0.0.1/tcp/${portOfNode(ana)}`])
  })

  it('does not go round in circles when both ask', async () => {
    const [ana, ben] = [await nodeWith(), await nodeWith()]
    let connections = 0
    ana.addEventListener('connection:open', () => connections++)
    await ana.dial(ben.getMultiaddrs()[0]!)
    const both = () =>
      ana.services.proofs.reached.length > 0 && ben.services.proofs.reached.length > 0
    await until(ana, both)
    await until(ana, () => ana.getConnections().length === 1)
    expect(connections).toBe(3)
  })

  it('tells a port that nobody answers at from one that another peer answers at', async () => {
    const [helper, ana, other] = [await nodeWith(never), await nodeWith(never), await nodeWith()]
    const connection = await ana.dial(helper.getMultiaddrs()[0]!)
    const own = portOfNode(ana)
    expect(await ask(connection, bytesOf(own))).toEqual([0, `/ip4/127.0.0.1/tcp/${own}`])
    expect((await ask(connection, bytesOf(1)))[0]).toBe(1)
    expect((await ask(connection, bytesOf(portOfNode(other))))[0]).toBe(1)
  })

  it('is refused to whoever asks for no port, for nonsense, or too often', async () => {
    const [helper, ana] = [await nodeWith(never), await nodeWith(never)]
    const connection = await ana.dial(helper.getMultiaddrs()[0]!)
    expect(await ask(connection, bytesOf(0))).toEqual([2, ''])
    expect(await ask(connection, Uint8Array.of())).toEqual([2, ''])
    await expect(ask(connection, new Uint8Array(1_000))).rejects.toThrow()
    const verdicts: number[] = []
    for (let times = 0; times < dialBacksPerMinuteMax + 3; times++) {
      verdicts.push((await ask(connection, bytesOf(portOfNode(ana))))[0])
    }
    expect(verdicts.filter((verdict) => verdict === 0).length).toBe(dialBacksPerMinuteMax)
    expect(verdicts.slice(-3)).toEqual([2, 2, 2])
  })

  it('says nothing about who claims to have reached another port, or answers garbage', async () => {
    const ana = await nodeWith()
    const liar = await nodeWith(never)
    await liar.unhandle(dialBackProtocol)
    const answers = [
      Uint8Array.of(0, ...multiaddr('/ip4/11.0.0.9/tcp/1').bytes),
      Uint8Array.of(0, 255, 255),
      Uint8Array.of(7),
      new Uint8Array(5_000)
    ]
    for (const answer of answers) {
      const answered = Promise.withResolvers<void>()
      await liar.handle(
        dialBackProtocol,
        async (stream) => {
          const messages = lpStream(stream)
          await messages.read()
          await messages.write(answer)
          await stream.close()
          answered.resolve()
        },
        { force: true }
      )
      await ana.dial(liar.getMultiaddrs()[0]!)
      await answered.promise
      await ana.hangUp(liar.peerId)
    }
    expect(ana.services.proofs.reached).toEqual([])
    expect(ana.services.proofs.unreachable).toEqual([])
  })
})
