import { randomBytes } from 'node:crypto'
import type { Connection } from '@libp2p/interface'
import { byteStream } from '@libp2p/utils'

const pingProtocol = '/ipfs/ping/1.0.0'
const pingBytes = 32

/**
 * Whether the other end of this very connection is there: a connection that a router has forgotten
 * looks open for minutes, because nobody is left to say so.
 *
 * @param ms - how long an answer may take, in milliseconds
 */
export async function answers(connection: Connection, ms: number): Promise<boolean> {
  if (connection.status !== 'open') return false
  const signal = AbortSignal.timeout(ms)
  try {
    const stream = await connection.newStream(pingProtocol, {
      signal,
      runOnLimitedConnection: true
    })
    const bytes = byteStream(stream)
    await bytes.write(randomBytes(pingBytes), { signal })
    await bytes.read({ bytes: pingBytes, signal })
    stream.abort(new Error('answered'))
    return true
  } catch {
    // A stream that the other end refuses is an answer, too.
    return !signal.aborted && connection.status === 'open'
  }
}
