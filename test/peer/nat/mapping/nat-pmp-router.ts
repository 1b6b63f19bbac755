import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import type { MapQuestion } from '../../../../peer/nat/mapping/nat-pmp-message.ts'

/** A router that speaks NAT-PMP, on loopback: as bad as a test wants it. */

export function refusal(code: number, result: number, epochSeconds: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt8(code, 1)
  bytes.writeUInt16BE(result, 2)
  bytes.writeUInt32BE(epochSeconds, 4)
  return bytes
}

export function addressAnswer(ip: string, epochSeconds: number): Buffer {
  return Buffer.concat([refusal(128, 0, epochSeconds), Buffer.from(ip.split('.').map(Number))])
}

export function mapAnswer(
  { protocol, internalPort }: Pick<MapQuestion, 'protocol' | 'internalPort'>,
  { externalPort, lifetimeSeconds }: Pick<MapQuestion, 'externalPort' | 'lifetimeSeconds'>,
  epochSeconds: number
): Buffer {
  const rest = Buffer.alloc(8)
  rest.writeUInt16BE(internalPort, 0)
  rest.writeUInt16BE(externalPort, 2)
  rest.writeUInt32BE(lifetimeSeconds, 4)
  return Buffer.concat([refusal(protocol === 'UDP' ? 129 : 130, 0, epochSeconds), rest])
}

export function readMapQuestion(bytes: Buffer): MapQuestion {
  return {
    protocol: bytes.readUInt8(1) === 1 ? 'UDP' : 'TCP',
    internalPort: bytes.readUInt16BE(4),
    externalPort: bytes.readUInt16BE(6),
    lifetimeSeconds: bytes.readUInt32BE(8)
  }
}

/** What a router says to a question; several answers come one after another. */
export type Answers = (question: Buffer, asker: RemoteInfo, socket: Socket) => readonly Buffer[]

export interface FakeNatPmp {
  readonly port: number
  /** All that it was asked. */
  readonly asked: readonly Buffer[]
  close(): void
}

export async function natPmpRouter(answers: Answers): Promise<FakeNatPmp> {
  const socket = createSocket('udp4')
  const asked: Buffer[] = []
  socket.on('message', (question, asker) => {
    asked.push(question)
    for (const bytes of answers(question, asker, socket)) {
      socket.send(bytes, asker.port, asker.address)
    }
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  socket.bind(0, '127.0.0.1', resolve)
  await promise
  return { port: socket.address().port, asked, close: () => socket.close() }
}

/** An honest one: public address, any port, for as long as is asked. */
export function honest(epochSeconds = () => 1_000, ip = '11.0.0.7'): Answers {
  return (bytes) => {
    if (bytes.readUInt8(1) === 0) return [addressAnswer(ip, epochSeconds())]
    const question = readMapQuestion(bytes)
    return [mapAnswer(question, question, epochSeconds())]
  }
}
