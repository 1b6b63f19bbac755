import { clearScreenDown, moveCursor } from 'node:readline'

/** How often progress is drawn on a terminal, and written as a line elsewhere, in milliseconds. */
const drawEveryMs = 200
const writeEveryMs = 5_000

/**
 * Shows how long work goes, on standard error: on a terminal a few lines that are drawn over, in a
 * log file or a pipe the same lines now and then.
 */
export class LiveLines {
  readonly #quiet: boolean
  readonly #stream: NodeJS.WriteStream
  #drawn = 0
  #lastMs = -Infinity

  constructor(quiet: boolean, stream: NodeJS.WriteStream = process.stderr) {
    this.#quiet = quiet
    this.#stream = stream
  }

  /** Show these lines instead of those before; skipped when the last ones are still fresh. */
  show(lines: () => readonly string[]): void {
    const everyMs = this.#stream.isTTY ? drawEveryMs : writeEveryMs
    if (this.#quiet || performance.now() - this.#lastMs < everyMs) return
    this.#lastMs = performance.now()
    this.#erase()
    this.#write(lines())
  }

  /** Say something that stays. */
  say(line: string): void {
    if (this.#quiet) return
    this.#erase()
    this.#stream.write(`${line}\n`)
    this.#lastMs = -Infinity
  }

  /** Leave these lines standing. */
  end(lines: readonly string[] = []): void {
    if (this.#quiet) return
    this.#erase()
    this.#write(lines)
    this.#drawn = 0
  }

  #write(lines: readonly string[]): void {
    const width = this.#stream.isTTY ? this.#stream.columns : Infinity
    this.#stream.write(lines.map((line) => `${line.slice(0, width - 1)}\n`).join(''))
    this.#drawn = this.#stream.isTTY ? lines.length : 0
  }

  #erase(): void {
    if (this.#drawn === 0) return
    moveCursor(this.#stream, 0, -this.#drawn)
    clearScreenDown(this.#stream)
    this.#drawn = 0
  }
}
