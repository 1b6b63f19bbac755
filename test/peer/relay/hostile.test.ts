import type { Libp2p, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { hopProtocol, stopProtocol } from '../../../peer/relay/circuit-messages.ts'
import { member, reach, relayWith, type TestRelay } from './relays.ts'

/** What strangers do to a relay: libp2p nodes that write raw bytes. */

async function hopStream(from: Libp2p, { address }: TestRelay): Promise<Stream> {
  return (await from.dial(multiaddr(address))).newStream(hopProtocol)
}

/** Settles when the stream is over: answered and closed, or reset. */
function over(stream: Stream): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  if (stream.status !== 'open' || stream.readStatus === 'closed') resolve()
  stream.addEventListener('message', () => undefined) // what is not read would not end
  stream.addEventListener('end', () => resolve())
  stream.addEventListener('close', () => resolve())
  return promise
}

async function expectUnharmed(relay: TestRelay): Promise<void> {
  const ana = await member(relay.address)
  await reach(await member(), ana, relay)
  expect(relay.relay.status().bugs).toBe(0)
}

describe('a relay among strangers', () => {
  it('survives requests of any bytes, and then serves the next one', async () => {
    const relay = await relayWith()
    const stranger = await member()
    const framed = fc
      .uint8Array({ maxLength: 100 })
      .map((bytes) => Uint8Array.of(bytes.length, ...bytes))
    await fc.assert(
      fc.asyncProperty(fc.oneof(framed, fc.uint8Array({ minLength: 1 })), async (bytes) => {
        const stream = await hopStream(stranger, relay)
        stream.send(bytes)
        await stream.close().catch(() => undefined)
        await over(stream)
      }),
      { numRuns: 100 }
    )
    expect(relay.relay.status().refused.malformed).toBeGreaterThan(0)
    await expectUnharmed(relay)
  })

  it('reads no request that is longer than one may be', async () => {
    const relay = await relayWith()
    const stream = await hopStream(await member(), relay)
    stream.send(Uint8Array.of(0xff, 0xff, 0xff, 0x7f, ...Buffer.alloc(60_000)))
    await over(stream)
    await expectUnharmed(relay)
  })

  it('reports whoever answers nonsense as not reachable', async () => {
    const relay = await relayWith()
    const [ana, ben] = [await member(relay.address), await member()]
    await ana.unhandle(stopProtocol)
    await ana.handle(stopProtocol, (stream: Stream) => {
      stream.send(Uint8Array.of(3, 1, 2, 3))
    })
    await expect(reach(ben, ana, relay)).rejects.toThrow()
    expect(relay.relay.status()).toMatchObject({
      refused: { unreachable: 1 },
      relayed: { open: 0, opened: 0 },
      bugs: 0
    })
  })

  it('closes a connection for both when one of them vanishes', async () => {
    const relay = await relayWith()
    const [ana, ben] = [await member(relay.address), await member()]
    const connection = await reach(ben, ana, relay)
    for (const each of ana.getConnections()) each.abort(new Error('the cable is cut'))
    await relay.events.first('circuit-closed')
    if (connection.status === 'open') {
      await new Promise((resolve) => connection.addEventListener('close', resolve))
    }
    expect(relay.relay.status().relayed.open).toBe(0)
  })

  it('lets one peer ask for so many connections at once, and no more', async () => {
    const relay = await relayWith()
    const [ana, ben] = [await member(relay.address), await member()]
    await ana.unhandle(stopProtocol)
    await ana.handle(stopProtocol, () => undefined, { maxInboundStreams: 100 }) // never answers
    const multihash = ana.peerId.toMultihash().bytes
    const request = Uint8Array.of(
      8,
      1,
      18,
      multihash.length + 2,
      10,
      multihash.length,
      ...multihash
    )
    const streams = []
    for (let i = 0; i < 20; i++) {
      const stream = await hopStream(ben, relay)
      stream.send(Uint8Array.of(request.length, ...request))
      streams.push(stream)
    }
    await Promise.any(streams.map(over))
    expect(relay.relay.status().relayed.open).toBe(16)
    expect(relay.relay.status().refused['circuits-per-peer']).toBeGreaterThan(0)
  })

  it('remains when its own listeners are told nonsense by the ones it serves', async () => {
    const relay = await relayWith()
    const ana = await member()
    const connection = await ana.dial(multiaddr(relay.address))
    for (const protocol of [
      '/starling/kad/1.0.0',
      '/libp2p/autonat/2/dial-request',
      '/ipfs/ping/1.0.0'
    ]) {
      const stream = await connection.newStream(protocol)
      stream.send(Buffer.alloc(5_000, 0x91))
      await stream.close().catch(() => undefined)
    }
    await expectUnharmed(relay)
  })
})
