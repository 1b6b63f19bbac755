import { createSocket, type RemoteInfo, type Socket as Datagrams } from 'node:dgram'
import { connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'

/**
 * Plain sockets in a namespace, told what to do in lines of JSON: shows what a router does without
 * any of our own network code. Run by prober.ts.
 */

export interface Questions {
  /** Answer on this port, TCP and UDP, with the address that is seen. */
  serve: { port: number }
  /** Which address does the server at `to` see, when asked from this port? Null: no answer. */
  observe: { protocol: 'tcp' | 'udp'; from: number; to: Target }
  /** What comes of a connection or datagram from any port? */
  reach: { protocol: 'tcp' | 'udp'; to: Target }
  /** Connect from this port at the same time as the other side does, again and again. */
  punch: { from: number; to: Target; tries: number }
  /** Does a gateway of the older kind, or one that can pass for it, answer a search (UPnP)? */
  search: Record<string, never>
  /** Does the gateway open a TCP port (NAT-PMP, RFC 6886)? */
  openPort: { gateway: string; port: number }
}

export interface Answers {
  serve: null
  observe: Target | null
  reach: Outcome
  punch: boolean
  search: boolean
  openPort: boolean
}

/** Refused: by a reset, at once. */
export type Outcome = 'answer' | 'refused' | 'silence'

export interface Target {
  readonly host: string
  readonly port: number
}

const waitMs = 400
/** Whoever must be heard may need a second SYN: the kernel sends it after a second. */
const patientMs = 1_500
const udp = new Map<number, Datagrams>()

const answers: { [Q in keyof Questions]: (details: Questions[Q]) => Promise<Answers[Q]> } = {
  serve({ port }) {
    datagramsAt(port)
    const server = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end(addressOf(socket.remoteAddress ?? '', socket.remotePort ?? 0))
    })
    const { promise, resolve } = Promise.withResolvers<null>()
    server.listen(port, '::', () => resolve(null))
    return promise
  },
  observe({ protocol, from, to }) {
    return protocol === 'tcp' ? askByTcp(to, from) : askByUdp(to, from)
  },
  async reach({ protocol, to }) {
    if (protocol === 'udp') return (await askByUdp(to, 0)) === null ? 'silence' : 'answer'
    const connected = await connection(to, 0)
    if (typeof connected === 'string') return connected
    connected.destroy()
    return 'answer'
  },
  async punch({ from, to, tries }) {
    for (let attempt = 0; attempt < tries; attempt++) {
      const socket = await connection(to, from)
      if (typeof socket !== 'string') {
        await pause(waitMs) // a reset that is still on its way counts
        // The other side looks a moment later than we do.
        setTimeout(() => socket.destroy(), waitMs)
        return !socket.destroyed
      }
      await pause(50)
    }
    return false
  },
  search: answersSearch,
  openPort({ gateway, port }) {
    return mapsPort(gateway, port)
  }
}

async function answersSearch(): Promise<boolean> {
  const search = [
    ...['M-SEARCH * HTTP/1.1', 'HOST: 239.255.255.250:1900', 'MAN: "ssdp:discover"', 'MX: 1'],
    'ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n'
  ].join('\r\n')
  const answer = await exchange(Buffer.from(search), { host: '239.255.255.250', port: 1900 })
  return answer?.toString().startsWith('HTTP/1.1 200 OK') === true
}

async function mapsPort(gateway: string, port: number): Promise<boolean> {
  const request = Buffer.alloc(12)
  request[1] = 2 // map TCP
  request.writeUInt16BE(port, 4)
  request.writeUInt16BE(port, 6)
  request.writeUInt32BE(3_600, 8)
  const answer = await exchange(request, { host: gateway, port: 5351 })
  return answer?.readUInt16BE(2) === 0
}

async function exchange(request: Buffer, { host, port }: Target): Promise<Buffer | null> {
  const socket = createSocket('udp4')
  const { promise, resolve } = Promise.withResolvers<Buffer | null>()
  socket.once('message', resolve)
  socket.once('error', () => resolve(null))
  socket.send(request, port, host)
  const tooLate = setTimeout(() => resolve(null), 3 * waitMs)
  const answer = await promise
  clearTimeout(tooLate)
  socket.close()
  return answer
}

async function askByTcp(to: Target, from: number): Promise<Target | null> {
  const socket = await connection(to, from, patientMs)
  if (typeof socket === 'string') return null
  const { promise, resolve } = Promise.withResolvers<Target | null>()
  socket.once('data', (text) => resolve(JSON.parse(String(text)) as Target))
  socket.once('close', () => resolve(null))
  setTimeout(() => resolve(null), waitMs).unref()
  const answer = await promise
  socket.destroy()
  return answer
}

function connection(
  to: Target,
  from: number,
  ms = waitMs
): Promise<Socket | Exclude<Outcome, 'answer'>> {
  const { promise, resolve } = Promise.withResolvers<Socket | Exclude<Outcome, 'answer'>>()
  const socket = connect({ ...to, ...(from === 0 ? {} : { localPort: from }) })
  const tooLate = setTimeout(() => {
    socket.destroy()
    resolve('silence')
  }, ms)
  socket.once('connect', () => resolve(socket))
  socket.on('error', () => resolve('refused'))
  return promise.finally(() => clearTimeout(tooLate))
}

async function askByUdp(to: Target, from: number): Promise<Target | null> {
  const socket = datagramsAt(from)
  const { promise, resolve } = Promise.withResolvers<Target | null>()
  const onAnswer = (text: Buffer, { port }: RemoteInfo): void => {
    if (port === to.port && text.toString().startsWith('you are ')) {
      resolve(JSON.parse(text.toString().slice('you are '.length)) as Target)
    }
  }
  socket.on('message', onAnswer)
  socket.send('who am I', to.port, inIpv6(to.host))
  setTimeout(() => resolve(null), waitMs).unref()
  const answer = await promise
  socket.off('message', onAnswer)
  return answer
}

/** One socket a port; all of them answer who asks. */
function datagramsAt(port: number): Datagrams {
  const known = udp.get(port)
  if (known !== undefined) return known
  const socket = createSocket('udp6')
  socket.on('error', () => undefined)
  socket.on('message', (text, from) => {
    if (text.toString() !== 'who am I') return
    socket.send(`you are ${addressOf(from.address, from.port)}`, from.port, from.address)
  })
  socket.bind(port)
  if (port !== 0) udp.set(port, socket)
  return socket
}

/** Sockets are for both families; IPv4 addresses have a place in IPv6 (RFC 4291, 2.5.5.2). */
function inIpv6(host: string): string {
  return host.includes(':') ? host : `::ffff:${host}`
}

function addressOf(host: string, port: number): string {
  return JSON.stringify({ host: host.replace('::ffff:', ''), port })
}

for await (const line of createInterface({ input: process.stdin })) {
  const [id, question, details] = JSON.parse(line) as [number, keyof Questions, never]
  void answers[question](details).then((answer) =>
    process.stdout.write(JSON.stringify([id, answer]) + '\n')
  )
}
process.exit()
