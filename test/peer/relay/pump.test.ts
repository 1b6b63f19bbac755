import type { Stream } from '@libp2p/interface'
import { describe, expect, it } from 'vitest'
import { Guard } from '../../../peer/guarded.ts'
import { pump } from '../../../peer/relay/pump.ts'
import { startNode } from '../swarm.ts'
import { readAll, writeAll } from './relays.ts'

/** Bytes from one real stream to another, by way of a node in between. */

const protocol = '/test/1/pumped'
const guard = new Guard((where, error) => {
  throw new Error(`${where}: ${String(error)}`)
})

interface Pumped {
  readonly sender: Stream
  /** The two that the pump joins. */
  readonly from: Stream
  readonly to: Stream
  readonly receiver: Stream
  readonly ended: Promise<void>
}

async function pumped(meter: (bytes: number) => number | undefined = () => 0): Promise<Pumped> {
  const [left, middle, right] = await Promise.all([startNode(), startNode(), startNode()])
  const atMiddle = Promise.withResolvers<Stream>()
  const atRight = Promise.withResolvers<Stream>()
  await middle.handle(protocol, (stream: Stream) => atMiddle.resolve(stream))
  await right.handle(protocol, (stream: Stream) => {
    stream.pause()
    atRight.resolve(stream)
  })
  const sender = await left.dialProtocol(middle.getMultiaddrs()[0]!, protocol)
  const to = await middle.dialProtocol(right.getMultiaddrs()[0]!, protocol)
  const [from, receiver] = await Promise.all([atMiddle.promise, atRight.promise])
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  pump(from, to, { guard, meter, onEnd: resolve })
  return { sender, from, to, receiver, ended }
}

describe('a pump', () => {
  it('holds the sender back until the receiver has taken what it has, whoever else has room', async () => {
    const { sender, to, receiver, ended } = await pumped()
    const all = 30_000_000
    const writing = writeAll(sender, Buffer.alloc(all))
    while (to.writeBufferLength === 0) await new Promise((resolve) => setImmediate(resolve))
    for (let i = 0; i < 100; i++) {
      to.dispatchEvent(new Event('drain')) // the socket has room, and this stream's window has none
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    expect(to.writeBufferLength).toBeLessThan(9 * 2 ** 20) // one window: without a bound, all of it

    const received = readAll(receiver)
    receiver.resume()
    await writing
    expect((await received).length).toBe(all)
    await receiver.close()
    await ended
  })

  it('passes on the last byte of a sender that closed while it was held back', async () => {
    const { sender, receiver } = await pumped(() => 100)
    const received = readAll(receiver)
    receiver.resume()
    await writeAll(sender, Buffer.from('the last words'))
    expect((await received).toString()).toBe('the last words')
  })

  it('ends both when one is reset', async () => {
    const { sender, to, ended } = await pumped()
    sender.abort(new Error('gone'))
    await ended
    expect(to.status).toBe('aborted')
  })
})
