import { z } from 'zod'
import { isErrorCode, StarlingError } from '../src/core/errors.ts'
import { controlAnswerBytesMax, controlBodyBytesMax } from '../src/core/limits.ts'
import type { Home } from './home.ts'
import { readBounded } from './files.ts'

/** Talks to the running daemon of a home, through its control API (control.ts). */

const controlFileSchema = z.strictObject({
  /** Nothing but loopback: a file that somebody changed must not send the token elsewhere. */
  url: z.string().regex(/^http:\/\/127\.0\.0\.1:\d{1,5}$/),
  token: z.string().regex(/^[0-9a-f]{64}$/),
  pid: z.int().positive()
})

type ControlFile = z.infer<typeof controlFileSchema>

export interface ControlClientOptions {
  /** For a whole answer, or the first bytes of the event stream, in milliseconds. */
  readonly timeoutMs: number
}

export const controlClientDefaults: ControlClientOptions = { timeoutMs: 5_000 }

/** For a dial and an answer: the daemon gives up first, and says why. */
const pingMsMax = 30_000

export class ControlClient {
  readonly #home: Home
  readonly #file: ControlFile
  readonly #options: ControlClientOptions

  private constructor(home: Home, file: ControlFile, options: ControlClientOptions) {
    this.#home = home
    this.#file = file
    this.#options = options
  }

  /** @throws STARLING_NOT_RUNNING when the home has no running daemon */
  static async open(
    home: Home,
    options: Partial<ControlClientOptions> = {}
  ): Promise<ControlClient> {
    const bytes = await readBounded(home.control, controlBodyBytesMax)
    if (bytes === undefined) throw notRunning(home, 'there is no control.json')
    const file = parseControlFile(bytes.toString('utf8'))
    if (file === undefined) throw notRunning(home, `${home.control} is damaged`)
    return new ControlClient(home, file, { ...controlClientDefaults, ...options })
  }

  get url(): string {
    return this.#file.url
  }

  /** The daemon's process. */
  get pid(): number {
    return this.#file.pid
  }

  /** @throws STARLING_NOT_RUNNING */
  status(): Promise<object> {
    return this.#call('GET', '/status')
  }

  /** @throws STARLING_NOT_RUNNING */
  peers(): Promise<object> {
    return this.#call('GET', '/peers')
  }

  /** What happened lately. @throws STARLING_NOT_RUNNING */
  log(): Promise<object> {
    return this.#call('GET', '/log')
  }

  /** @throws STARLING_NOT_RUNNING, STARLING_UNREACHABLE, STARLING_BAD_ARGUMENT, STARLING_BAD_MULTIADDR */
  ping(target: string): Promise<object> {
    return this.#call('POST', '/ping', { target }, pingMsMax)
  }

  /** @throws STARLING_NOT_RUNNING, STARLING_BAD_MULTIADDR */
  bootstrap(action: 'add' | 'remove', target: string): Promise<object> {
    return this.#call('POST', `/bootstrap/${action}`, { target })
  }

  /** Settles when the daemon has begun to stop. @throws STARLING_NOT_RUNNING */
  async stop(): Promise<void> {
    await this.#call('POST', '/stop')
  }

  /**
   * Events from now on, until the daemon stops or `signal` fires.
   * @throws STARLING_NOT_RUNNING
   */
  async *events(signal: AbortSignal): AsyncGenerator<object> {
    const response = await this.#request('GET', '/events', signal)
    if (!response.ok || response.body === null) throw await this.#refused(response)
    let rest = ''
    try {
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        if (rest.length > controlAnswerBytesMax) throw this.#notOurs()
        for (const line of lines) yield this.#parse(line)
      }
    } catch (error) {
      // A daemon that stops or dies ends the stream; only what is not ours is an error.
      if (error instanceof StarlingError) throw error
    }
  }

  async #call(
    method: 'GET' | 'POST',
    path: string,
    body: object = {},
    timeoutMs = this.#options.timeoutMs
  ): Promise<object> {
    const response = await this.#request(method, path, AbortSignal.timeout(timeoutMs), body)
    if (!response.ok) throw await this.#refused(response)
    return this.#parse(await this.#readText(response))
  }

  async #request(
    method: 'GET' | 'POST',
    path: string,
    signal: AbortSignal,
    content: object = {}
  ): Promise<Response> {
    const { url, token } = this.#file
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
    const body = method === 'POST' ? JSON.stringify(content) : null
    try {
      return await fetch(url + path, { method, headers, body, signal, redirect: 'error' })
    } catch (error) {
      throw notRunning(this.#home, `nothing answers at ${url}: ${reasonOf(error)}`)
    }
  }

  async #readText(response: Response): Promise<string> {
    let text = ''
    try {
      for await (const piece of (response.body ?? []) as AsyncIterable<Uint8Array>) {
        text += Buffer.from(piece).toString('latin1')
        if (text.length > controlAnswerBytesMax) throw this.#notOurs()
      }
    } catch (error) {
      if (error instanceof StarlingError) throw error
      throw notRunning(this.#home, `the answer broke off: ${reasonOf(error)}`)
    }
    return Buffer.from(text, 'latin1').toString('utf8')
  }

  async #refused(response: Response): Promise<StarlingError> {
    const answer = this.#parse(await this.#readText(response))
    // Another program, or another home's daemon, listens where ours once did.
    if (response.status === 401) return this.#notOurs()
    const { code, message } = answer as { code?: unknown; message?: unknown }
    if (isErrorCode(code)) return new StarlingError(code, String(message))
    return new StarlingError(
      'STARLING_NOT_RUNNING',
      `the daemon refused (${response.status}): ${String(message)}`
    )
  }

  #parse(text: string): object {
    try {
      const content: unknown = JSON.parse(text)
      if (typeof content === 'object' && content !== null) return content
    } catch {
      // Said below.
    }
    throw this.#notOurs()
  }

  #notOurs(): StarlingError {
    return notRunning(this.#home, `something else answers at ${this.#file.url}`)
  }
}

function parseControlFile(text: string): ControlFile | undefined {
  try {
    return controlFileSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

function notRunning(home: Home, why: string): StarlingError {
  return new StarlingError(
    'STARLING_NOT_RUNNING',
    `no daemon runs on ${home.path} (${why}): start one with 'starling up'`
  )
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error ? cause.message : String(cause)
}
