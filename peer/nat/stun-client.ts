import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { StarlingError } from '../../src/core/errors.ts'
import { decodeBindingSuccess, encodeBindingRequest, type StunAddress } from './stun-message.ts'

/** UDP port of a helper that was not told otherwise: IANA's for STUN. */
export const stunPort = 3478

/** Times after which a question is asked again, in milliseconds: RFC 8489, 6.2.1, cut short. */
const askAgainMs = [0, 500, 1_500]
const waitMs = 3_500

export interface StunQuestion {
  /** An IP address. */
  readonly server: string
  readonly port: number
  /** UDP port to ask from; 0 for any. */
  readonly fromPort?: number
}

/**
 * Ask a STUN server from which address it sees us.
 * @throws STARLING_UNREACHABLE when it does not answer
 * @throws STARLING_PORT_TAKEN when `fromPort` cannot be used
 */
export async function askStun({ server, port, fromPort = 0 }: StunQuestion): Promise<StunAddress> {
  const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4')
  const transaction = randomBytes(12)
  const request = encodeBindingRequest(transaction)
  const { promise, resolve, reject } = Promise.withResolvers<StunAddress>()
  const timers: NodeJS.Timeout[] = []
  const fail = (why: string): void =>
    reject(
      new StarlingError(
        'STARLING_UNREACHABLE',
        `no answer from the STUN server at ${server}, UDP port ${port} (${why}): is it a helper ` +
          'with STUN, and does a firewall let UDP through?',
        { server, port }
      )
    )
  socket.on('error', (error) => {
    if (!('code' in error) || error.code !== 'EADDRINUSE') return fail(error.message)
    reject(
      new StarlingError('STARLING_PORT_TAKEN', `UDP port ${fromPort} is in use; choose another one`)
    )
  })
  socket.on('message', (bytes, sender) => {
    if (sender.port !== port) return
    const address = decodeBindingSuccess(bytes, transaction)
    if (address !== undefined) resolve(address)
  })
  socket.bind(fromPort, () => {
    for (const afterMs of askAgainMs) {
      timers.push(setTimeout(() => socket.send(request, port, server), afterMs))
    }
    timers.push(setTimeout(() => fail(`${waitMs} ms`), waitMs))
  })
  try {
    return await promise
  } finally {
    for (const timer of timers) clearTimeout(timer)
    socket.close()
  }
}
