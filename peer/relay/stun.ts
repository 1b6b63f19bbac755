import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { isIPv6 } from 'node:net'
import { StarlingError } from '../../src/core/errors.ts'
import { errnoOf } from '../files.ts'
import type { Guard } from '../guarded.ts'
import { decodeBindingRequest, encodeBindingSuccess } from '../nat/stun-message.ts'
import { Bucket, Buckets } from './bucket.ts'
import { placeOfIp } from '../network/place.ts'

/** Questions a second of one host, and at once. A client asks a handful of times. */
const perSecondMax = 5
const atOnceMax = 20
/** And of all: senders' addresses can be forged, so answers are a stream to somebody who did not ask. */
const allPerSecondMax = 2_000
/** Hosts whose pace is remembered. */
const hostsMax = 4096

export interface StunOptions {
  /** IP addresses to answer on. Those of a family that this machine lacks are left out. */
  readonly hosts: readonly string[]
  /** UDP port; 0 for any. */
  readonly port: number
  readonly guard: Guard
  readonly nowMs: () => number
}

export interface StunServer {
  /** UDP port, of the first host. */
  readonly port: number
  readonly answered: number
  /** Not understood, or not answered for their number. */
  readonly ignored: number
  readonly tooFast: number
  stop(): Promise<void>
}

/**
 * Answers STUN binding requests and nothing else: 32 bytes for IPv4 and 44 for IPv6 to at least 20,
 * so it amplifies nothing (headers included, 60 to 48 and 92 to 68).
 * @throws STARLING_PORT_TAKEN when the port cannot be used
 */
export async function startStun({ hosts, port, guard, nowMs }: StunOptions): Promise<StunServer> {
  const counts = { answered: 0, ignored: 0, tooFast: 0 }
  const paces = new Buckets(perSecondMax, atOnceMax, hostsMax)
  const pace = new Bucket(allPerSecondMax, allPerSecondMax, nowMs())
  const answer = (socket: Socket, bytes: Uint8Array, { address, port: from }: RemoteInfo): void => {
    const transaction = decodeBindingRequest(bytes)
    if (transaction === undefined || from === 0) {
      counts.ignored++
    } else if (!paces.tryTake(placeOfIp(address).host, nowMs()) || !pace.tryTake(1, nowMs())) {
      counts.tooFast++
    } else {
      counts.answered++
      const success = encodeBindingSuccess(transaction, { ip: address, port: from })
      socket.send(success, from, address, () => undefined) // an unreachable sender is its own trouble
    }
  }

  const sockets: Socket[] = []
  let taken = port
  for (const host of hosts) {
    const socket = createSocket(isIPv6(host) ? { type: 'udp6', ipv6Only: true } : { type: 'udp4' })
    try {
      await bind(socket, host, taken)
    } catch (error) {
      socket.close()
      if (isIPv6(host) && ['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(String(errnoOf(error))))
        continue
      await close(sockets)
      throw new StarlingError(
        'STARLING_PORT_TAKEN',
        `UDP port ${taken} on ${host} cannot be used for STUN (${String(errnoOf(error))}): choose ` +
          'another with --stun-port, or --no-stun',
        { host, port: taken }
      )
    }
    taken = socket.address().port
    socket.on(
      'message',
      guard.wrap('a STUN message', (bytes: Buffer, sender: RemoteInfo) =>
        answer(socket, bytes, sender)
      )
    )
    socket.on(
      'error',
      guard.wrap('a STUN socket', () => undefined)
    ) // such as ICMP errors
    sockets.push(socket)
  }
  return {
    port: taken,
    get answered() {
      return counts.answered
    },
    get ignored() {
      return counts.ignored
    },
    get tooFast() {
      return counts.tooFast
    },
    stop: () => close(sockets)
  }
}

async function bind(socket: Socket, host: string, port: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once('error', reject)
  socket.bind(port, host, resolve)
  await promise
  socket.off('error', reject)
}

async function close(sockets: Socket[]): Promise<void> {
  const closing = sockets.splice(0).map((socket) => {
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.close(() => resolve())
    return promise
  })
  await Promise.all(closing)
}
