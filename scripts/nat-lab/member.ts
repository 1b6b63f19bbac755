import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { binPath } from '../../src/cli/version.ts'
import { StarlingError } from '../../src/core/errors.ts'
import type { Status } from '../../peer/status.ts'
import type { Namespace } from './lab.ts'

/** A real daemon in a namespace, `starling up` or `starling relay`, and one who watches it. */

/** A busy machine starts many of them slowly. */
const readyMsMax = 120_000
const everyMs = 200

/** What was seen of it at one moment. */
export interface Look {
  readonly atMs: number
  readonly status: Status
  readonly peers: {
    readonly connections?: readonly ConnectionSeen[]
  }
}

export interface ConnectionSeen {
  readonly peer: string
  readonly kind: 'direct' | 'punched' | 'relayed'
  readonly limited: boolean
  /** Of the far end, as a multiaddr. */
  readonly address: string
}

export interface EventSeen {
  readonly atMs: number
  readonly event: { readonly kind: string } & Readonly<Record<string, unknown>>
}

export class Member {
  readonly where: Namespace
  readonly home: string
  readonly events: EventSeen[] = []
  readonly #command: readonly string[]
  readonly #log: string
  #daemon: ChildProcess | undefined
  #watcher: ChildProcess | undefined
  #newest: Look | undefined
  #failure: StarlingError | undefined
  #onLook: (() => void)[] = []

  /**
   * @param command - such as `up --task FILE`, without --home and what is printed
   * @param logs - directory for what it logs
   */
  constructor(where: Namespace, home: string, command: readonly string[], logs: string) {
    this.where = where
    this.#log = join(logs, `${where.name}.log`)
    this.home = home
    this.#command = command
  }

  get pid(): number {
    return this.#daemon?.pid ?? 0
  }

  /** Undefined before the first one. */
  get newest(): Look | undefined {
    return this.#newest
  }

  /** Start it, for the first time or again. @returns what it printed when it was ready */
  async start(): Promise<Status> {
    const [name = '', ...rest] = this.#command
    const shown = ['--home', this.home, '--json', '--log-level', 'debug']
    const daemon = this.where.spawn(process.execPath, [binPath, name, ...shown, ...rest], {
      env: environment(this.where)
    })
    this.#daemon = daemon
    const log = createWriteStream(this.#log, { flags: 'a' })
    daemon.stderr?.pipe(log)
    const { promise, resolve, reject } = Promise.withResolvers<Status>()
    let output = ''
    daemon.stdout?.setEncoding('utf8').on('data', (text: string) => {
      output += text
      if (output.endsWith('}\n')) resolve(JSON.parse(output) as Status)
    })
    daemon.once('exit', (code, signal) => {
      if (this.#daemon !== daemon) return // we ended it
      this.#failure = this.#trouble(`ended by itself with ${signal ?? `exit code ${code}`}`)
      reject(this.#failure)
      for (const check of this.#onLook) check()
    })
    const tooLate = setTimeout(() => reject(this.#trouble('was not ready in time')), readyMsMax)
    this.#watch()
    return promise.finally(() => clearTimeout(tooLate))
  }

  /**
   * @returns the first look that fits; undefined when none did in time
   * @throws STARLING_WORKER_FAILED when it ended by itself
   */
  async until(fits: (look: Look) => boolean, deadlineMs: number): Promise<Look | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<Look | undefined>()
    const check = (): void => {
      if (this.#failure !== undefined) reject(this.#failure)
      if (this.#newest !== undefined && fits(this.#newest)) resolve(this.#newest)
    }
    this.#onLook.push(check)
    const timer = setTimeout(() => resolve(undefined), deadlineMs)
    check()
    return promise.finally(() => {
      clearTimeout(timer)
      this.#onLook = this.#onLook.filter((each) => each !== check)
    })
  }

  /** As a lid that is closed does it. */
  freeze(): void {
    this.#daemon?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#daemon?.kill('SIGCONT')
  }

  /** As a power cut does it. */
  async kill(): Promise<void> {
    const processes = [this.#daemon, this.#watcher]
    this.#daemon = undefined
    await Promise.all(processes.map((each) => end(each, 'SIGKILL')))
    this.#newest = undefined
  }

  /** It says goodbye. */
  async stop(): Promise<void> {
    const daemon = this.#daemon
    this.#daemon = undefined
    await end(daemon, 'SIGTERM')
    await this.kill()
  }

  #watch(): void {
    const watcher = this.where.spawn(
      process.execPath,
      [join(import.meta.dirname, 'watch.ts'), this.home, String(everyMs)],
      { stdio: ['ignore', 'pipe', 'inherit'], env: environment(this.where) }
    )
    this.#watcher = watcher
    createInterface({ input: watcher.stdout as Readable }).on('line', (line) => {
      const seen = JSON.parse(line) as Look | EventSeen
      if ('event' in seen) {
        this.events.push(seen)
        return
      }
      this.#newest = seen
      for (const check of this.#onLook) check()
    })
  }

  #trouble(what: string): StarlingError {
    return new StarlingError(
      'STARLING_WORKER_FAILED',
      `the daemon in ${this.where.ns} ${what}; its log is ${this.#log}`
    )
  }
}

/** Nothing of the user's own settings, and sources compiled once for all. */
function environment({ ns }: Namespace): NodeJS.ProcessEnv {
  const clean = Object.entries(process.env).filter(
    ([name]) => !name.startsWith('STARLING_') || name === 'STARLING_DATA'
  )
  const cache = join(process.env.TMPDIR ?? '/tmp', 'starling-nat-lab-compiled')
  return { ...Object.fromEntries(clean), NODE_COMPILE_CACHE: cache, HOSTNAME: ns }
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  const tooLate = setTimeout(() => child.kill('SIGKILL'), 8_000)
  await gone
  clearTimeout(tooLate)
}
