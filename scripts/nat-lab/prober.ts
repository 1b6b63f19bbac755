import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Namespace } from './lab.ts'
import type { Answers, Questions } from './probe.ts'

/** A probe.ts in a namespace. Any number of questions may be open. */
export class Prober {
  readonly #child
  readonly #ended: Promise<never>
  readonly #open = new Map<number, (answer: never) => void>()
  #asked = 0

  constructor(where: Namespace) {
    this.#child = where.spawn(process.execPath, [join(import.meta.dirname, 'probe.ts')], {
      stdio: ['pipe', 'pipe', 'inherit']
    })
    this.#ended = once(this.#child, 'exit').then(() => {
      throw new Error(`the probe in ${where.ns} has ended`)
    })
    this.#ended.catch(() => undefined)
    createInterface({ input: this.#child.stdout as Readable }).on('line', (line) => {
      const [id, answer] = JSON.parse(line) as [number, never]
      this.#open.get(id)?.(answer)
      this.#open.delete(id)
    })
  }

  ask<Q extends keyof Questions>(question: Q, details: Questions[Q]): Promise<Answers[Q]> {
    const id = ++this.#asked
    const { promise, resolve } = Promise.withResolvers<Answers[Q]>()
    this.#open.set(id, resolve)
    this.#child.stdin?.write(JSON.stringify([id, question, details]) + '\n')
    return Promise.race([promise, this.#ended])
  }

  stop(): void {
    this.#child.kill('SIGKILL')
  }
}
