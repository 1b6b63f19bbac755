import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Guard } from '../../../peer/guarded.ts'
import { askStun } from '../../../peer/nat/stun-client.ts'
import { encodeBindingRequest } from '../../../peer/nat/stun-message.ts'
import { startStun, type StunServer } from '../../../peer/relay/stun.ts'

/** The responder, asked over real sockets on loopback. */

const guard = new Guard((where, error) => {
  throw new Error(`${where}: ${String(error)}`)
})

async function server(hosts: readonly string[], port = 0): Promise<StunServer> {
  const started = await startStun({ hosts, port, guard, nowMs: () => performance.now() })
  onTestFinished(() => started.stop())
  return started
}

async function client(): Promise<Socket> {
  const socket = createSocket('udp4')
  onTestFinished(() => void socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

describe('a STUN responder', () => {
  it.each(['127.0.0.1', '::1'])('tells %s from where it is seen', async (ip) => {
    const { port } = await server([ip])
    const socket = createSocket('udp4')
    socket.bind(0)
    await once(socket, 'listening')
    const fromPort = socket.address().port
    await new Promise<void>((resolve) => socket.close(() => resolve()))

    const seen = await askStun({ server: ip, port, fromPort })
    expect(seen.port).toBe(fromPort)
    expect(seen.ip).toBe(ip === '::1' ? '0:0:0:0:0:0:0:1' : ip)
  })

  it('answers both families on one port', async () => {
    const { port } = await server(['0.0.0.0', '::'])
    expect((await askStun({ server: '127.0.0.1', port })).ip).toBe('127.0.0.1')
    expect((await askStun({ server: '::1', port })).ip).toBe('0:0:0:0:0:0:0:1')
  })

  it('answers no nonsense, and then still what makes sense', async () => {
    const stun = await server(['127.0.0.1'])
    const socket = await client()
    const answers: Buffer[] = []
    socket.on('message', (bytes) => answers.push(bytes))
    for (let length = 0; length < 60; length++) {
      socket.send(Buffer.alloc(length, length), stun.port, '127.0.0.1')
    }
    const request = encodeBindingRequest(Buffer.alloc(12, 7))
    socket.send(request, stun.port, '127.0.0.1')
    await once(socket, 'message')

    expect(answers).toHaveLength(1)
    expect(answers[0]?.length).toBeLessThanOrEqual(2 * request.length)
    expect(stun).toMatchObject({ answered: 1, ignored: 60, tooFast: 0 })
  })

  it('answers one host so often, and no more', async () => {
    const stun = await server(['127.0.0.1'])
    const socket = await client()
    for (let i = 0; i < 100; i++) {
      socket.send(encodeBindingRequest(Buffer.alloc(12, i)), stun.port, '127.0.0.1')
    }
    socket.send('over', stun.port, '127.0.0.1')
    while (stun.ignored === 0) await new Promise((resolve) => setImmediate(resolve))

    expect(stun.answered).toBeGreaterThanOrEqual(20)
    expect(stun.answered).toBeLessThan(40)
    expect(stun.tooFast).toBe(100 - stun.answered)
  })

  it('says which port it cannot have', async () => {
    const { port } = await server(['127.0.0.1'])
    await expect(server(['127.0.0.1'], port)).rejects.toMatchObject({
      code: 'STARLING_PORT_TAKEN',
      details: { port }
    })
  })

  it('is missed when it is not there, by whoever asks', async () => {
    const { port } = await server(['127.0.0.1'])
    await expect(askStun({ server: '127.0.0.1', port: port === 1 ? 2 : 1 })).rejects.toMatchObject({
      code: 'STARLING_UNREACHABLE'
    })
  })
})
