import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { member, reach, readAll, relayWith, writeAll } from './relays.ts'

/** A relay among real nodes, whose circuit client is libp2p's. */

const protocol = '/test/1/bytes'
const limited = { runOnLimitedConnection: true }

describe('a relay', () => {
  it('lets two peers that listen nowhere reach each other, and says what that connection may have', async () => {
    const relay = await relayWith({ bytesPerCircuit: 100_000, secondsPerCircuit: 90 })
    const ana = await member(relay.address)
    const ben = await member()

    const connection = await reach(ben, ana, relay)

    expect(connection.remotePeer.toString()).toBe(ana.peerId.toString())
    expect(connection.limits?.bytes).toBeGreaterThan(90_000n) // less what the handshake took
    expect(connection.limits?.bytes).toBeLessThan(100_000n)
    expect(connection.limits?.seconds).toBeGreaterThan(80) // seconds, not milliseconds
    expect(connection.limits?.seconds).toBeLessThanOrEqual(90)
    expect(relay.relay.status()).toMatchObject({
      connections: { open: 2, handshakes: 0 },
      reservations: { held: 1 },
      relayed: { open: 1, opened: 1, cut: {} },
      refused: {},
      bugs: 0
    })
  })

  it('answers who asks where it can be reached (AutoNAT), and asks nobody itself', async () => {
    const relay = await relayWith()
    const ana = await member()
    const identified = new Promise<string[]>((resolve) => {
      ana.addEventListener('peer:identify', ({ detail }) => resolve(detail.protocols))
    })
    await ana.dial(multiaddr(relay.address))
    const protocols = await identified
    expect(protocols).toContain('/libp2p/autonat/2/dial-request')
    // Only who asks takes calls back.
    expect(protocols).not.toContain('/libp2p/autonat/2/dial-back')
  })

  it('passes on every byte in both directions, and counts them', async () => {
    const relay = await relayWith({ bytesPerCircuit: Infinity, secondsPerCircuit: Infinity })
    const ana = await member(relay.address)
    const ben = await member()
    const sent = Buffer.alloc(3_000_000, 'starling')
    await ana.handle(protocol, (stream: Stream) => {
      void readAll(stream).then((bytes) => writeAll(stream, bytes))
    })

    const connection = await reach(ben, ana, relay)
    expect(connection.limits).toBeUndefined()
    const stream = await connection.newStream(protocol)
    const received = readAll(stream)
    await writeAll(stream, sent)

    expect(sent.equals(await received)).toBe(true)
    const { bytes } = relay.relay.status().relayed
    expect(bytes).toBeGreaterThan(2 * sent.length)
    expect(bytes).toBeLessThan(2.05 * sent.length) // noise and yamux take their share
  })

  it('cuts a connection at its limit of bytes, and says so', async () => {
    const relay = await relayWith({ bytesPerCircuit: 128 * 1024 })
    const ana = await member(relay.address)
    const ben = await member()
    let received = 0
    await ana.handle(
      protocol,
      (stream: Stream) => {
        stream.addEventListener('message', ({ data }) => (received += data.byteLength))
      },
      limited
    )

    const connection = await reach(ben, ana, relay)
    const stream = await connection.newStream(protocol, limited)
    await expect(writeAll(stream, Buffer.alloc(1_000_000))).rejects.toThrow()

    const { bytes, cut } = await relay.events.first('circuit-closed')
    expect(cut).toBe('bytes')
    expect(bytes).toBeLessThanOrEqual(128 * 1024)
    expect(bytes).toBeGreaterThan(32 * 1024)
    expect(received).toBeLessThan(128 * 1024)
    expect(relay.relay.status().relayed).toMatchObject({ open: 0, cut: { bytes: 1 }, bytes })
  })

  it('cuts a connection when its time is up', async () => {
    const relay = await relayWith({ secondsPerCircuit: 1 })
    const ana = await member(relay.address)
    const ben = await member()
    await reach(ben, ana, relay)
    expect(await relay.events.first('circuit-closed')).toMatchObject({ cut: 'minutes' })
  })

  it('holds all connections together to a pace', async () => {
    const bytesPerSecond = 500_000
    const relay = await relayWith({ bytesPerCircuit: Infinity, bytesPerSecond })
    const ana = await member(relay.address)
    const ben = await member()
    const arrived = Promise.withResolvers<Buffer>()
    await ana.handle(
      protocol,
      (stream: Stream) => void readAll(stream).then(arrived.resolve),
      limited
    )

    const stream = await (await reach(ben, ana, relay)).newStream(protocol, limited)
    const startedMs = performance.now()
    await writeAll(stream, Buffer.alloc(2_000_000))
    expect((await arrived.promise).length).toBe(2_000_000)

    expect(performance.now() - startedMs).toBeGreaterThan(1_500) // 4 s, less a burst and the last piece
  })

  it('keeps little of what a slow reader has not taken yet', async () => {
    const relay = await relayWith({ bytesPerCircuit: Infinity, bytesPerSecond: Infinity })
    const ana = await member(relay.address)
    const ben = await member()
    const paused = Promise.withResolvers<Stream>()
    await ana.handle(
      protocol,
      (stream: Stream) => {
        stream.pause()
        paused.resolve(stream)
      },
      limited
    )
    const stream = await (await reach(ben, ana, relay)).newStream(protocol, limited)
    const all = 20_000_000
    const writing = writeAll(stream, Buffer.alloc(all))
    const slow = await paused.promise
    const before = await settled(() => relay.relay.status().relayed.bytes)

    expect(before).toBeLessThan(all / 2) // the sender had to wait

    const received = readAll(slow)
    slow.resume()
    await writing
    expect((await received).length).toBe(all)
  })

  it('takes nobody through whom nobody reserved', async () => {
    const relay = await relayWith()
    const [ana, ben] = [await member(), await member()]
    await ana.dial(multiaddr(relay.address))
    await expect(reach(ben, ana, relay)).rejects.toThrow()
    expect(relay.relay.status().refused).toEqual({ 'no-reservation': 1 })
  })

  it('forgets the reservation of a peer that is gone', async () => {
    const relay = await relayWith()
    const ana = await member(relay.address)
    expect(relay.relay.status().reservations.held).toBe(1)
    await ana.stop()
    const { peer } = await relay.events.first('released')
    expect(peer).toBe(ana.peerId.toString())
    expect(relay.relay.status().reservations.held).toBe(0)
  })

  it('has no more reservations than it was given, and says why not', async () => {
    const relay = await relayWith({ reservations: 2 })
    await member(relay.address)
    await member(relay.address)
    await expect(member(relay.address)).rejects.toThrow()
    expect(relay.relay.status()).toMatchObject({
      reservations: { held: 2, max: 2 },
      refused: { reservations: 1 }
    })
  })

  it('gives one host its share of reservations, and no more', async () => {
    const relay = await relayWith({ perIp: 3 })
    await member(relay.address)
    await member(relay.address)
    await member(relay.address)
    await expect(member(relay.address)).rejects.toThrow()
    expect(relay.relay.status().refused['connections-per-ip']).toBeGreaterThan(0)
  })

  it('hears nobody who lacks the key of its swarm', async () => {
    const key = Buffer.from(`/key/swarm/psk/1.0.0/\n/base16/\n${'ab'.repeat(32)}`)
    const relay = await relayWith({}, { swarmKey: key })
    const stranger = await member()
    const signal = AbortSignal.timeout(2_000)
    await expect(stranger.dial(multiaddr(relay.address), { signal })).rejects.toThrow()
    expect(relay.relay.status().bugs).toBe(0)
  })

  it('stops relaying for the day when the day is used up', async () => {
    const relay = await relayWith({ bytesPerDay: 50_000, bytesPerCircuit: Infinity })
    const ana = await member(relay.address)
    const ben = await member()
    await ana.handle(protocol, () => undefined, limited)
    const stream = await (await reach(ben, ana, relay)).newStream(protocol, limited)
    await expect(writeAll(stream, Buffer.alloc(500_000))).rejects.toThrow()
    expect(await relay.events.first('circuit-closed')).toMatchObject({ cut: 'bytes-per-day' })

    await expect(reach(await member(), ana, relay)).rejects.toThrow()
    expect(relay.relay.status().refused).toEqual({ 'bytes-per-day': 1 })
  })
})

/** A number once it does not change any more. */
async function settled(read: () => number): Promise<number> {
  for (let last = NaN; ;) {
    const now = read()
    if (now === last) return now
    last = now
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
}
