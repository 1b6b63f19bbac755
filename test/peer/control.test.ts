import { once } from 'node:events'
import { readFile, stat, writeFile } from 'node:fs/promises'
import { request, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ControlClient } from '../../peer/control-client.ts'
import { startControl, type Control, type ControlOptions } from '../../peer/control.ts'
import { StarlingError } from '../../src/core/errors.ts'
import { openHome, type Home } from '../../peer/home.ts'
import { controlBodyBytesMax, controlConnectionsMax } from '../../src/core/limits.ts'
import { scratchDirectory } from './scratch.ts'

/** A daemon's side of the door, which remembers what was asked of it. */
class Daemon {
  readonly asked: string[] = []
  readonly listeners = new Set<(event: object) => void>()
  readonly stopped = Promise.withResolvers<void>()

  status(): object {
    this.asked.push('status')
    return { state: 'training', round: 7 }
  }
  peers(): object {
    this.asked.push('peers')
    return [{ peer: '12D3', note: 'ünïcode' }]
  }
  log(): object {
    this.asked.push('log')
    return { events: [] }
  }
  ping(target: string): Promise<object> {
    this.asked.push(`ping ${target}`)
    if (target === 'nobody') {
      return Promise.reject(new StarlingError('STARLING_UNREACHABLE', 'nobody does not answer'))
    }
    return Promise.resolve({ ms: 3 })
  }
  addBootstrap(address: string): object {
    this.asked.push(`add ${address}`)
    return { added: address }
  }
  removeBootstrap(address: string): object {
    this.asked.push(`remove ${address}`)
    return { removed: address }
  }
  stop(): void {
    this.asked.push('stop')
    this.stopped.resolve()
  }
  subscribe(listener: (event: object) => void): () => void {
    this.asked.push('subscribe')
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }
  emit(event: object): void {
    for (const listener of this.listeners) listener(event)
  }
}

interface Door {
  readonly home: Home
  readonly daemon: Daemon
  readonly control: Control
  readonly port: number
  readonly token: string
}

async function openDoor(options: Partial<ControlOptions> = {}): Promise<Door> {
  const home = await openHome(join(await scratchDirectory(), 'home'))
  const daemon = new Daemon()
  const control = await startControl(home.control, daemon, options)
  onTestFinished(() => control.stop())
  const { token } = JSON.parse(await readFile(home.control, 'utf8')) as { token: string }
  return { home, daemon, control, port: Number(new URL(control.url).port), token }
}

interface Asked {
  readonly method?: string
  readonly path: string
  readonly headers?: OutgoingHttpHeaders
  readonly body?: string
}

/** One request, with no header but Host, the token and those given; undefined takes one away. */
async function ask(door: Door, { method = 'GET', path, headers = {}, body }: Asked) {
  const merged = {
    Host: `127.0.0.1:${door.port}`,
    Authorization: `Bearer ${door.token}`,
    ...headers
  }
  const given = Object.entries(merged).filter(([, value]) => value !== undefined)
  const sent = request({
    host: '127.0.0.1',
    port: door.port,
    method,
    path,
    headers: Object.fromEntries(given),
    agent: false,
    setHost: false
  })
  sent.on('error', () => undefined) // the answer may come before all was sent
  sent.end(body)
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  if (path === '/events' && response.statusCode === 200) {
    response.destroy()
    return { status: 200, content: undefined, headers: response.headers }
  }
  let text = ''
  for await (const piece of response) text += String(piece)
  return { status: response.statusCode, content: parse(text), headers: response.headers }
}

function parse(text: string): unknown {
  return text === '' ? undefined : JSON.parse(text)
}

const json = { 'Content-Type': 'application/json' }
const routes: Asked[] = [
  { path: '/status' },
  { path: '/peers' },
  { path: '/events' },
  { path: '/stop', method: 'POST', headers: json, body: '{}' }
]

describe('the control API', () => {
  it('answers who holds the token', async () => {
    const door = await openDoor()

    expect(await ask(door, { path: '/status' })).toMatchObject({
      status: 200,
      content: { state: 'training', round: 7 }
    })
    expect((await ask(door, { path: '/peers' })).content).toEqual([
      { peer: '12D3', note: 'ünïcode' }
    ])
    const local = { Host: `localhost:${door.port}`, Origin: `http://localhost:${door.port}` }
    expect((await ask(door, { path: '/status', headers: local })).status).toBe(200)
    expect((await ask(door, { path: '/stop', method: 'POST', headers: json })).status).toBe(202)
    await door.daemon.stopped.promise
  })

  it('tells the file, readable by us alone, and removes it when it stops', async () => {
    const { home, control } = await openDoor()
    expect((await stat(home.control)).mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(home.control, 'utf8'))).toMatchObject({
      url: control.url,
      pid: process.pid
    })

    await control.stop()
    await expect(stat(home.control)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('leaves the file of a daemon that came after it', async () => {
    const { home, control } = await openDoor()
    await writeFile(home.control, 'another')
    await control.stop()
    expect(await readFile(home.control, 'utf8')).toBe('another')
  })

  it('says so when its port is taken', async () => {
    const door = await openDoor()
    const other = await openHome(join(await scratchDirectory(), 'home'))
    await expect(
      startControl(other.control, door.daemon, { port: door.port })
    ).rejects.toMatchObject({
      code: 'STARLING_PORT_TAKEN',
      message: expect.stringContaining(String(door.port)) as string
    })
  })

  describe('does nothing for', () => {
    const wrong = 'f'.repeat(64)
    const hostile: [string, number, (door: Door) => OutgoingHttpHeaders][] = [
      ['a foreign host', 403, () => ({ Host: 'evil.example' })],
      ['a foreign host at our port', 403, ({ port }) => ({ Host: `evil.example:${port}` })],
      ['a host that begins like ours', 403, ({ port }) => ({ Host: `127.0.0.1.evil:${port}` })],
      ['a host without the port', 403, () => ({ Host: '127.0.0.1' })],
      ['another port', 403, ({ port }) => ({ Host: `127.0.0.1:${port + 1}` })],
      ['all interfaces', 403, ({ port }) => ({ Host: `0.0.0.0:${port}` })],
      ['IPv6', 403, ({ port }) => ({ Host: `[::1]:${port}` })],
      ['an empty host', 403, () => ({ Host: '' })],
      ['no host', 400, () => ({ Host: undefined })],
      ['origin null', 403, () => ({ Origin: 'null' })],
      ['an empty origin', 403, () => ({ Origin: '' })],
      ['a foreign origin', 403, () => ({ Origin: 'https://evil.example' })],
      ['our origin over TLS', 403, ({ port }) => ({ Origin: `https://127.0.0.1:${port}` })],
      ['another origin of ours', 403, ({ port }) => ({ Origin: `http://localhost:${port}` })],
      ['no token', 401, () => ({ Authorization: undefined })],
      ['an empty token', 401, () => ({ Authorization: 'Bearer ' })],
      ['a wrong token', 401, () => ({ Authorization: `Bearer ${wrong}` })],
      [
        'the token in capitals',
        401,
        ({ token }) => ({ Authorization: `Bearer ${token.toUpperCase()}A` })
      ],
      ['half the token', 401, ({ token }) => ({ Authorization: `Bearer ${token.slice(32)}` })],
      ['the bare token', 401, ({ token }) => ({ Authorization: token })],
      [
        'basic authorisation',
        401,
        ({ token }) => ({ Authorization: `Basic ${btoa(`a:${token}`)}` })
      ],
      [
        'two tokens',
        401,
        ({ token }) => ({ Authorization: [`Bearer ${wrong}`, `Bearer ${token}`] })
      ],
      ['a header of endless length', 431, () => ({ Authorization: 'x'.repeat(100_000) })]
    ]

    it.each(hostile)('%s: %i on every route', async (_what, status, headersOf) => {
      const door = await openDoor()
      for (const route of routes) {
        const answer = await ask(door, {
          ...route,
          headers: { ...route.headers, ...headersOf(door) }
        })
        expect(answer.status).toBe(status)
        expect(answer.headers).not.toHaveProperty('access-control-allow-origin')
      }
      expect(door.daemon.asked).toEqual([])
    })

    it.each<[string, number, Asked]>([
      ['an unknown path', 404, { path: '/' }],
      ['a path that climbs', 404, { path: '/../identity' }],
      ['a path that climbs in disguise', 404, { path: '/..%2fidentity%00' }],
      ['a path of every object', 404, { path: '/constructor' }],
      ['a query', 404, { path: '/stop?x=1', method: 'POST', headers: json }],
      ['a full address', 404, { path: 'http://evil.example/status' }],
      ['GET on stop', 405, { path: '/stop' }],
      ['HEAD on stop', 405, { path: '/stop', method: 'HEAD' }],
      ['OPTIONS', 405, { path: '/stop', method: 'OPTIONS' }],
      ['POST on status', 405, { path: '/status', method: 'POST', headers: json, body: '{}' }],
      ['a form', 415, { path: '/stop', method: 'POST', headers: { 'Content-Type': 'text/plain' } }],
      ['no content type', 415, { path: '/stop', method: 'POST', body: '{}' }],
      ['a body that is no JSON', 400, { path: '/stop', method: 'POST', headers: json, body: '{' }],
      ['a body with a key', 400, { path: '/stop', method: 'POST', headers: json, body: '{"a":1}' }],
      ['no target', 400, { path: '/ping', method: 'POST', headers: json, body: '{}' }],
      ['a number', 400, { path: '/ping', method: 'POST', headers: json, body: '{"target":1}' }],
      [
        'a target without end',
        400,
        {
          path: '/bootstrap/add',
          method: 'POST',
          headers: json,
          body: JSON.stringify({ target: '/'.repeat(5_000) })
        }
      ],
      [
        'a body with a prototype',
        400,
        { path: '/stop', method: 'POST', headers: json, body: '{"__proto__":{}}' }
      ],
      [
        'a body nested without end',
        400,
        { path: '/stop', method: 'POST', headers: json, body: '['.repeat(60_000) }
      ],
      [
        'a huge body',
        413,
        { path: '/stop', method: 'POST', headers: json, body: ' '.repeat(controlBodyBytesMax + 1) }
      ]
    ])('%s: %i', async (_what, status, asked) => {
      const door = await openDoor()
      expect((await ask(door, asked)).status).toBe(status)
      expect(door.daemon.asked).toEqual([])
    })

    it('an upgrade to a web socket', async () => {
      const door = await openDoor()
      const headers = { Connection: 'Upgrade', Upgrade: 'websocket', Authorization: undefined }
      expect((await ask(door, { path: '/events', headers })).status).toBe(401)
      expect(door.daemon.asked).toEqual([])
    })

    it('two hosts', async () => {
      const door = await openDoor()
      const host = `Host: 127.0.0.1:${door.port}`
      const head = `GET /status HTTP/1.1\r\n${host}\r\nHost: evil.example\r\n`
      const socket = connect(door.port, '127.0.0.1')
      socket.write(`${head}Authorization: Bearer ${door.token}\r\n\r\n`)
      expect(String((await once(socket, 'data'))[0])).toMatch(/^HTTP\/1.1 4\d\d /)
      expect(door.daemon.asked).toEqual([])
    })

    it.each([
      ['a header that never ends', 'POST /stop HTTP/1.1\r\nHost: 127'],
      ['nothing at all', '']
    ])('%s, and hangs up', async (_what, bytes) => {
      const door = await openDoor({ requestTimeoutMs: 200 })
      const socket = connect(door.port, '127.0.0.1')
      socket.write(bytes)
      socket.resume()
      await once(socket, 'close')
      expect(door.daemon.asked).toEqual([])
    })

    it('a body that never ends, and hangs up', async () => {
      const door = await openDoor({ requestTimeoutMs: 200 })
      const socket = connect(door.port, '127.0.0.1')
      socket.write(
        `POST /stop HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\nContent-Type: application/json\r\n` +
          `Authorization: Bearer ${door.token}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`
      )
      socket.resume()
      await once(socket, 'close')
      expect(door.daemon.asked).toEqual([])
      expect((await ask(door, { path: '/status' })).status).toBe(200)
    })
  })

  it('holds a bounded number of connections, and answers again when some are gone', async () => {
    const door = await openDoor()
    let closed = 0
    const idle = Array.from({ length: controlConnectionsMax + 5 }, () =>
      connect(door.port, '127.0.0.1')
        .on('error', () => undefined)
        .on('close', () => closed++)
        .resume()
    )
    await expect.poll(() => closed).toBe(5)

    for (const socket of idle) socket.destroy()
    await expect.poll(() => closed).toBe(idle.length)
    expect((await ask(door, { path: '/status' })).status).toBe(200)
  })

  it('says what went wrong when the daemon itself fails', async () => {
    const door = await openDoor()
    door.daemon.status = () => {
      throw new Error('no picture')
    }
    expect(await ask(door, { path: '/status' })).toMatchObject({
      status: 500,
      content: { code: 'STARLING_INTERNAL', message: 'Error: no picture' }
    })
    expect((await ask(door, { path: '/peers' })).status).toBe(200)
  })

  it('drops a client that does not read its events, and keeps those that do', async () => {
    const door = await openDoor()
    const socket = connect(door.port, '127.0.0.1')
    socket.write(
      `GET /events HTTP/1.1\r\nHost: 127.0.0.1:${door.port}\r\nAuthorization: Bearer ${door.token}\r\n\r\n`
    )
    await once(socket, 'readable') // the head; from here on it reads nothing
    const client = await ControlClient.open(door.home)
    const reader = client.events(new AbortController().signal)
    const first = reader.next()
    await expect.poll(() => door.control.listeners).toBe(2)

    // More than its queue and the kernel's buffers hold, but never too much at once for a reader.
    const padding = 'x'.repeat(500_000)
    door.daemon.emit({ number: 0 })
    expect((await first).value).toEqual({ number: 0 })
    for (let number = 1; door.control.listeners === 2 && number < 100; number++) {
      door.daemon.emit({ number, padding })
      expect((await reader.next()).value).toMatchObject({ number })
    }

    expect(door.control.listeners).toBe(1)
    expect(door.daemon.listeners.size).toBe(1)
    door.daemon.emit({ last: true })
    expect((await reader.next()).value).toEqual({ last: true })
    socket.destroy()
  })
})

describe('the control client', () => {
  it('asks the daemon of its home', async () => {
    const { home, daemon } = await openDoor()
    const client = await ControlClient.open(home)

    expect(client.pid).toBe(process.pid)
    expect(await client.status()).toEqual({ state: 'training', round: 7 })
    expect(await client.peers()).toEqual([{ peer: '12D3', note: 'ünïcode' }])
    await client.stop()
    await daemon.stopped.promise
  })

  it('asks about a peer, and hears in our words when that came to nothing', async () => {
    const { home, daemon } = await openDoor()
    const client = await ControlClient.open(home)

    expect(await client.ping('ana')).toEqual({ ms: 3 })
    expect(await client.bootstrap('add', '/ip4/1')).toEqual({ added: '/ip4/1' })
    expect(await client.bootstrap('remove', '/ip4/1')).toEqual({ removed: '/ip4/1' })
    await expect(client.ping('nobody')).rejects.toMatchObject({
      code: 'STARLING_UNREACHABLE',
      message: 'nobody does not answer'
    })
    expect(daemon.asked).toEqual(['ping ana', 'add /ip4/1', 'remove /ip4/1', 'ping nobody'])
  })

  it('reads events, whole, until the daemon stops', async () => {
    const { home, daemon, control } = await openDoor()
    const client = await ControlClient.open(home)
    const events = client.events(new AbortController().signal)
    const first = events.next()
    await expect.poll(() => control.listeners).toBe(1)

    daemon.emit({ kind: 'merged', with: 'ä'.repeat(70_000) })
    expect((await first).value).toEqual({ kind: 'merged', with: 'ä'.repeat(70_000) })
    await control.stop()
    expect((await events.next()).done).toBe(true)
  })

  it('stops reading when it is told to', async () => {
    const { home, control } = await openDoor()
    const abort = new AbortController()
    const events = (await ControlClient.open(home)).events(abort.signal)
    const first = events.next()
    await expect.poll(() => control.listeners).toBe(1)

    abort.abort()
    expect((await first).done).toBe(true)
    await expect.poll(() => control.listeners).toBe(0)
  })

  it.each<[string, (door: Door) => Promise<unknown>]>([
    ['never started', ({ control }) => control.stop()],
    [
      'was killed and left its file',
      async ({ control, home }) => {
        const file = await readFile(home.control)
        await control.stop()
        await writeFile(home.control, file)
      }
    ],
    [
      'was killed, and another now has its port',
      async ({ home, token }) => {
        const file = await readFile(home.control, 'utf8')
        await writeFile(home.control, file.replace(token, 'f'.repeat(64)))
      }
    ],
    ['left a damaged file', ({ home }) => writeFile(home.control, '{"url":')],
    [
      'left a file that leads elsewhere',
      ({ home, token }) =>
        writeFile(home.control, JSON.stringify({ url: 'http://203.0.113.5:80', token, pid: 1 }))
    ]
  ])('says that none runs when it %s', async (_what, happened) => {
    const door = await openDoor()
    await happened(door)
    const call = ControlClient.open(door.home).then((client) => client.status())
    await expect(call).rejects.toMatchObject({
      code: 'STARLING_NOT_RUNNING',
      message: expect.stringContaining('starling up') as string
    })
    expect(door.daemon.asked).toEqual([])
  })

  it('does not wait for ever, nor read without end', async () => {
    const door = await openDoor()
    door.daemon.status = () => ({ padding: 'x'.repeat(5_000_000) })
    await expect((await ControlClient.open(door.home)).status()).rejects.toMatchObject({
      code: 'STARLING_NOT_RUNNING'
    })

    const hung = await ControlClient.open(door.home, { timeoutMs: 1 })
    await expect(hung.peers()).rejects.toMatchObject({ code: 'STARLING_NOT_RUNNING' })
  })
})
