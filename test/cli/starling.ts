import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, vi } from 'vitest'

/** The command line as a user meets it: each command is a process of its own. */

export const binPath = join(import.meta.dirname, '../../src/cli/bin.ts')

/** Compiled sources, shared by all commands of a test run: they start in half the time. */
const cacheDirectory = join(tmpdir(), 'starling-test-compiled')

export interface Ended {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
}

/** Run a command to its end. */
export function starling(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return new Running(args, options).ended
}

/** One JSON document and nothing else, of a command that succeeded. */
export async function factsOf<Facts = Record<string, unknown>>(
  ...args: readonly string[]
): Promise<Facts> {
  const { code, stdout, stderr } = await starling([...args, '--json'])
  if (code !== 0) throw new Error(`starling ${args.join(' ')} ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as Facts
}

// A dozen processes on a busy machine take their time.
vi.setConfig({ testTimeout: 150_000, hookTimeout: 60_000 })

const running = new Set<Running>()

/** A command that runs. */
export class Running {
  readonly ended: Promise<Ended>
  readonly #process: ChildProcess
  readonly #waiting = new Set<() => void>()
  #stdout = ''
  #stderr = ''

  constructor(args: readonly string[], { env = {} }: RunOptions = {}) {
    const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('STARLING_'))
    this.#process = spawn(process.execPath, [binPath, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...Object.fromEntries(clean), NODE_COMPILE_CACHE: cacheDirectory, ...env }
    })
    this.#process.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text
      this.#look()
    })
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text
      this.#look()
    })
    running.add(this)
    this.ended = once(this.#process, 'close').then(([code]) => {
      running.delete(this)
      this.#look()
      return { code: code as number | null, stdout: this.#stdout, stderr: this.#stderr }
    })
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  /** What it says on either output, past or future, that fits. */
  async says(pattern: RegExp, deadlineMs = 60_000): Promise<RegExpExecArray> {
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
    const said = () => `it said:\n${this.#stdout}${this.#stderr}`
    const look = (): void => {
      const found = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr)
      if (found !== null) resolve(found)
      else if (!running.has(this)) reject(new Error(`it ended without ${pattern}; ${said()}`))
    }
    const timer = setTimeout(() => reject(new Error(`no ${pattern} came; ${said()}`)), deadlineMs)
    this.#waiting.add(look)
    look()
    return promise.finally(() => {
      clearTimeout(timer)
      this.#waiting.delete(look)
    })
  }

  /** As `head` does when it has seen enough. */
  stopReading(): void {
    this.#process.stdout?.destroy()
  }

  kill(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  #look(): void {
    for (const look of [...this.#waiting]) look()
  }
}

/** A directory for all tests of a file; gone, and no process left, when they are done. */
export function scratchOfFile(): () => string {
  let path = ''
  beforeAll(async () => {
    path = await mkdtemp(join(tmpdir(), 'starling-cli-'))
  })
  afterAll(async () => {
    const left = [...running]
    for (const each of left) each.kill('SIGKILL')
    await Promise.all(left.map(({ ended }) => ended))
    await rm(path, { recursive: true, force: true })
  })
  return () => path
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** On this machine only, and on any free port. */
export const listening = ['--listen', '/ip4/127.0.0.1/tcp/0'] as const
/** And with so little data that no test waits for it. */
export const frugal = [...listening, '--data', 'glyphs?limit=60&test=50'] as const

/** The line that another peer joins by, as a daemon prints it. */
export const joinLinePattern = /starling up --join (\S+)/
