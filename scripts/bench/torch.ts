import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'

/** PyTorch beside us: a child process that trains the same models, a few steps at a time. */
export class Torch {
  readonly version: string
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, version: string) {
    this.#child = child
    this.#lines = lines
    this.version = version
  }

  /** @returns why there is no PyTorch here, where there is none */
  static async start(): Promise<Torch | string> {
    const setback = install()
    if (setback !== undefined) return setback
    const script = join(import.meta.dirname, 'torch-models.py')
    const child = spawn(python, [script], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = linesOf(child)
    const first = await lines.next()
    if (first.done === true) return 'PyTorch does not start'
    const { version } = JSON.parse(first.value) as { version: string }
    return new Torch(child, lines, version)
  }

  /** Processor time of a training step, in milliseconds. */
  async stepMs(model: string, steps: number): Promise<number> {
    this.#child.stdin?.write(`${JSON.stringify({ model, steps })}\n`)
    const answer = await this.#lines.next()
    if (answer.done === true) throw new Error(`PyTorch ended while training '${model}'`)
    return (JSON.parse(answer.value) as { stepMs: number }).stepMs
  }

  stop(): void {
    this.#child.stdin?.end()
  }
}

const python = '/usr/bin/python3'

function install(): string | undefined {
  if (hasTorch()) return undefined
  if (!existsSync('/usr/bin/apt-get')) return 'no PyTorch, and no apt to install it with'
  try {
    // Without OpenBLAS it would multiply matrices by the book, twenty times slower.
    const packages = ['python3-torch', 'libopenblas0-pthread']
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...packages], {
      stdio: ['ignore', 'ignore', 'inherit']
    })
    return hasTorch() ? undefined : 'apt installed PyTorch, but python3 does not find it'
  } catch (error) {
    return `apt could not install PyTorch (${(error as Error).message})`
  }
}

function hasTorch(): boolean {
  try {
    execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function linesOf(child: ChildProcess): AsyncIterator<string> {
  if (child.stdout === null) throw new Error('the child process has no output')
  const lines: Interface = createInterface({ input: child.stdout })
  return lines[Symbol.asyncIterator]()
}
