import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { endpoint, tcpSockets } from '../../scripts/nat-lab/sockets.ts'

describe('addresses as the kernel writes them', () => {
  it('are bytes in the machine’s order, and a port', () => {
    expect(endpoint('0101000B:0FA1')).toEqual({ host: '11.0.1.1', port: 4001 })
  })

  it('of IPv6 are four words, written as people write them', () => {
    const text = '11000B2A0000000000000000020000FE:138A'
    expect(endpoint(text)).toEqual({ host: '2a0b:11::fe00:2', port: 5002 })
  })

  it('of IPv4 at an IPv6 socket are IPv4', () => {
    expect(endpoint('0000000000000000FFFF00006500000B:0050')).toEqual({
      host: '11.0.0.101',
      port: 80
    })
  })
})

describe.runIf(process.platform === 'linux')('the sockets of a process’s namespace', () => {
  it('are those that are listened on, and both ends of a connection', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')

    const { listening, established } = tcpSockets(process.pid)
    const far = { localPort: port, remoteHost: '127.0.0.1', remotePort: socket.localPort }
    const near = { localPort: socket.localPort, remoteHost: '127.0.0.1', remotePort: port }
    expect(listening).toContain(port)
    expect(listening).not.toContain(socket.localPort)
    expect(established).toContainEqual(far)
    expect(established).toContainEqual(near)

    socket.destroy()
    server.close()
  })

  it('are none when the process has ended', () => {
    expect(tcpSockets(2 ** 30)).toEqual({ listening: new Set(), established: [] })
  })
})
