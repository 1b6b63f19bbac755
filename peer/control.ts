import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import { isStarlingError, StarlingError } from '../src/core/errors.ts'
import {
  addressLengthMax,
  controlBodyBytesMax,
  controlConnectionsMax,
  controlHeaderBytesMax,
  eventBytesPerClientMax
} from '../src/core/limits.ts'
import { errnoOf, readBounded, removeFile, writeAtomically } from './files.ts'

/**
 * The control API: how commands and the dashboard talk to the running daemon.
 *
 * Loopback is no wall: every page in the user's browser can send requests there. So each request
 * must carry the token, which only who can read the home knows; name this very host, so that a
 * foreign name that resolves to 127.0.0.1 gets nowhere (DNS rebinding); and come from no other
 * page's origin. There are no CORS headers.
 */

/** What the API is a door to. */
export interface ControlHandlers {
  /** Plain JSON. */
  status(): object
  peers(): object
  /** What happened lately, oldest first. */
  log(): object
  /** @throws StarlingError, which is what the client gets */
  ping(target: string): Promise<object>
  /** Dial it from now on, or no more. @throws StarlingError */
  addBootstrap(address: string): object
  removeBootstrap(address: string): object
  /** Begin to stop. Called once the answer is out. */
  stop(): void
  /** Hear of events from now on. @returns how to hear no more */
  subscribe(listener: (event: object) => void): () => void
}

export interface ControlOptions {
  /** On 127.0.0.1; 0 for any free one. */
  readonly port: number
  /** For a request to arrive in full, in milliseconds; then 408. */
  readonly requestTimeoutMs: number
}

export const controlDefaults: ControlOptions = { port: 0, requestTimeoutMs: 10_000 }

export interface Control {
  readonly url: string
  /** How many clients listen to events. */
  readonly listeners: number
  /** Remove the file, then close every connection. */
  stop(): Promise<void>
}

/** A request that is refused, and with which status. */
interface Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
}

/**
 * Open the door and write where it is to `controlPath`, mode 0600.
 * @throws STARLING_PORT_TAKEN when it cannot listen there
 * @throws STARLING_HOME_UNUSABLE when the file cannot be written
 */
export async function startControl(
  controlPath: string,
  handlers: ControlHandlers,
  options: Partial<ControlOptions> = {}
): Promise<Control> {
  const { port, requestTimeoutMs } = { ...controlDefaults, ...options }
  const token = randomBytes(32)
  const events = new EventStreams(handlers)

  const server = createServer({
    maxHeaderSize: controlHeaderBytesMax,
    headersTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 10)
  })
  server.maxConnections = controlConnectionsMax
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answer(request, response, portOf(server), token, handlers, events).catch((error: unknown) => {
      // Nothing that a client sends may reach the process as an unhandled rejection.
      refuse(response, { status: 500, code: 'STARLING_INTERNAL', message: String(error) })
    })
  })
  await listen(server, port)

  const url = `http://127.0.0.1:${portOf(server)}`
  const content = JSON.stringify({ url, token: token.toString('hex'), pid: process.pid })
  try {
    await writeAtomically(controlPath, [Buffer.from(content + '\n')])
  } catch (error) {
    server.close()
    throw error
  }

  return {
    url,
    get listeners() {
      return events.size
    },
    async stop() {
      try {
        const current = await readBounded(controlPath, controlBodyBytesMax)
        if (current?.toString('utf8').trim() === content) await removeFile(controlPath)
      } finally {
        await close(server, events)
      }
    }
  }
}

async function close(server: Server, events: EventStreams): Promise<void> {
  events.close()
  if (!server.listening) return
  server.close()
  server.closeAllConnections()
  await once(server, 'close')
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch (error) {
    const why = errnoOf(error) === 'EADDRINUSE' ? 'is taken' : `cannot be used (${String(error)})`
    throw new StarlingError(
      'STARLING_PORT_TAKEN',
      `port ${port} on 127.0.0.1 ${why}: choose another for the control API, or 0 for any`
    )
  }
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** Guards first, in an order that tells a stranger nothing; then the route. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  port: number,
  token: Buffer,
  handlers: ControlHandlers,
  events: EventStreams
): Promise<void> {
  response.on('error', () => undefined) // the client went away
  const refusal = checkOrigin(request, port) ?? checkToken(request, token) ?? checkRoute(request)
  if (refusal !== undefined) return refuse(response, refusal)

  switch (request.url as Route) {
    case '/status':
      return send(response, 200, handlers.status())
    case '/peers':
      return send(response, 200, handlers.peers())
    case '/log':
      return send(response, 200, handlers.log())
    case '/events':
      return events.add(response)
    case '/stop': {
      const body = await readBody(request, emptySchema)
      if (isRefusal(body)) return refuse(response, body)
      response.once('close', () => handlers.stop())
      return send(response, 202, { stopping: true })
    }
    case '/ping':
      return answerFor(request, response, ({ target }) => handlers.ping(target))
    case '/bootstrap/add':
      return answerFor(request, response, ({ target }) => handlers.addBootstrap(target))
    case '/bootstrap/remove':
      return answerFor(request, response, ({ target }) => handlers.removeBootstrap(target))
  }
}

const emptySchema = z.strictObject({})
const targetSchema = z.strictObject({ target: z.string().max(addressLengthMax) })

/** A question about one peer; what the user got wrong is an answer, too. */
async function answerFor(
  request: IncomingMessage,
  response: ServerResponse,
  handle: (body: z.infer<typeof targetSchema>) => object | Promise<object>
): Promise<void> {
  const body = await readBody(request, targetSchema)
  if (isRefusal(body)) return refuse(response, body)
  try {
    send(response, 200, await handle(body))
  } catch (error) {
    if (!isStarlingError(error)) throw error
    const status = error.kind === 'network' ? 502 : 400
    refuse(response, { status, code: error.code, message: error.message })
  }
}

const methods = {
  '/status': 'GET',
  '/peers': 'GET',
  '/log': 'GET',
  '/events': 'GET',
  '/stop': 'POST',
  '/ping': 'POST',
  '/bootstrap/add': 'POST',
  '/bootstrap/remove': 'POST'
} as const

type Route = keyof typeof methods

function checkOrigin(request: IncomingMessage, port: number): Refusal | undefined {
  const hosts = request.headersDistinct.host ?? []
  const [host] = hosts
  const known = [`127.0.0.1:${port}`, `localhost:${port}`]
  if (hosts.length !== 1 || host === undefined || !known.includes(host)) {
    return forbidden(`the Host header must be ${known.join(' or ')}`)
  }
  const { origin } = request.headers
  if (origin !== undefined && origin !== `http://${host}`) {
    return forbidden('requests from other origins are not answered')
  }
  return undefined
}

function checkToken(request: IncomingMessage, token: Buffer): Refusal | undefined {
  const claims = request.headersDistinct.authorization ?? []
  const [, hex] = /^Bearer ([0-9a-f]{64})$/.exec(claims[0] ?? '') ?? []
  const known = claims.length === 1 && hex !== undefined
  if (known && timingSafeEqual(Buffer.from(hex, 'hex'), token)) return undefined
  return {
    status: 401,
    code: 'STARLING_UNAUTHORIZED',
    message: 'send "Authorization: Bearer TOKEN" with the token in control.json of the home'
  }
}

function checkRoute(request: IncomingMessage): Refusal | undefined {
  const path = request.url ?? ''
  if (!Object.hasOwn(methods, path)) {
    const known = Object.entries(methods).map(([route, method]) => `${method} ${route}`)
    return { status: 404, code: 'STARLING_NOT_FOUND', message: `there are ${known.join(', ')}` }
  }
  const method = methods[path as Route]
  if (method !== request.method) {
    return { status: 405, code: 'STARLING_BAD_METHOD', message: `use ${method}` }
  }
  // Other content types can be sent by a form on any page; this one cannot.
  if (method === 'POST' && request.headers['content-type'] !== 'application/json') {
    return { status: 415, code: 'STARLING_BAD_BODY', message: 'use Content-Type: application/json' }
  }
  return undefined
}

/** Read a body of a few words; no bytes at all count as `{}`. */
async function readBody<Body>(
  request: IncomingMessage,
  schema: z.ZodType<Body>
): Promise<Body | Refusal> {
  const pieces: Buffer[] = []
  let bytes = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    bytes += piece.length
    if (bytes > controlBodyBytesMax) {
      return {
        status: 413,
        code: 'STARLING_BAD_BODY',
        message: `a body has at most ${controlBodyBytesMax} bytes`
      }
    }
    pieces.push(piece)
  }
  const text = Buffer.concat(pieces).toString('utf8').trim()
  try {
    return schema.parse(JSON.parse(text === '' ? '{}' : text))
  } catch {
    const words = schema instanceof z.ZodObject ? Object.keys(schema.shape) : []
    const shape = words.map((word) => `"${word}": "…"`).join(', ')
    return { status: 400, code: 'STARLING_BAD_BODY', message: `the body must be {${shape}}` }
  }
}

function isRefusal(body: object): body is Refusal {
  return 'status' in body
}

function forbidden(message: string): Refusal {
  return { status: 403, code: 'STARLING_FORBIDDEN', message }
}

function refuse(response: ServerResponse, { status, code, message }: Refusal): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.setHeader('Connection', 'close') // whatever else it sends is not read
  send(response, status, { code, message })
}

function send(response: ServerResponse, status: number, content: object): void {
  const body = JSON.stringify(content)
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff'
  })
  response.end(body)
}

/** Clients that listen to events, one JSON document a line. */
class EventStreams {
  readonly #handlers: ControlHandlers
  readonly #clients = new Map<ServerResponse, () => void>()

  constructor(handlers: ControlHandlers) {
    this.#handlers = handlers
  }

  get size(): number {
    return this.#clients.size
  }

  add(response: ServerResponse): void {
    response.writeHead(200, {
      'Content-Type': 'application/x-ndjson',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff'
    })
    response.flushHeaders()
    const unsubscribe = this.#handlers.subscribe((event) => {
      // Who does not read is dropped: its events would pile up in our memory.
      if (response.writableLength > eventBytesPerClientMax) response.destroy()
      else response.write(JSON.stringify(event) + '\n')
    })
    this.#clients.set(response, unsubscribe)
    response.once('close', () => {
      this.#clients.delete(response)
      unsubscribe()
    })
  }

  close(): void {
    for (const response of this.#clients.keys()) response.end()
  }
}
