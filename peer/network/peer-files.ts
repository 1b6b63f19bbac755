import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FsDatastore } from 'datastore-fs'
import { NotFoundError } from '@libp2p/interface'
import { peerFilesMax, recordsMax } from '../../src/core/limits.ts'

type Key = Parameters<FsDatastore['put']>[0]

/**
 * libp2p's datastore: what it knows of peers lives on disk, all else in memory.
 *
 * Strangers write DHT records, so they get bounded memory and no disk. A disk that is full or gone
 * must not end conversations: libp2p stores something about the peer before it hands out a stream,
 * so a failed write falls back to memory and is reported once.
 */
export class PeerFiles extends FsDatastore {
  readonly #memory = new Map<string, { key: Key; value: Uint8Array }>()
  readonly #report: (failure: unknown) => void
  readonly #files = new Set<string>()
  readonly #underWay = new Set<Promise<unknown>>()
  #reported = false
  #stopped = false

  constructor(path: string, report: (failure: unknown) => void) {
    super(path)
    this.#report = report
  }

  /** Files that a power cut left empty are removed: they would fail to decode later on. */
  override async open(): Promise<void> {
    await super.open()
    const directory = join(this.path, 'peers')
    for (const name of await readdir(directory).catch(() => [])) {
      const file = join(directory, name)
      const { size } = await stat(file)
      if (size === 0 || !name.endsWith('.data')) await rm(file, { force: true })
      else this.#files.add(`/peers/${name.slice(0, -'.data'.length)}`)
    }
  }

  // libp2p starts and stops only what has both of these.
  start(): void {}
  stop(): void {}

  /** From here on nothing is written: libp2p still takes notes when all else has stopped. */
  async afterStop(): Promise<void> {
    this.#stopped = true
    await Promise.allSettled(this.#underWay)
  }

  override async put(...[key, value]: Parameters<FsDatastore['put']>): Promise<Key> {
    const name = key.toString()
    if (this.#isForDisk(name)) {
      try {
        // Without a signal to give it up by: the file would be written all the same.
        await this.#noted(super.put(key, value))
        this.#files.add(name)
        this.#memory.delete(name)
        return key
      } catch (failure) {
        if (!this.#reported) this.#report(failure)
        this.#reported = true
      }
    }
    this.#memory.delete(name)
    this.#memory.set(name, { key, value })
    if (this.#memory.size > recordsMax) {
      for (const oldest of this.#memory.keys()) {
        this.#memory.delete(oldest)
        break
      }
    }
    return key
  }

  override async get(...[key, options]: Parameters<FsDatastore['get']>): Promise<Uint8Array> {
    const held = this.#memory.get(key.toString())
    if (held !== undefined) return held.value
    if (!this.#files.has(key.toString())) throw new NotFoundError(`no ${key.toString()}`)
    return super.get(key, options)
  }

  override has(...[key]: Parameters<FsDatastore['has']>): Promise<boolean> {
    return Promise.resolve(this.#memory.has(key.toString()) || this.#files.has(key.toString()))
  }

  override async delete(...[key, options]: Parameters<FsDatastore['delete']>): Promise<void> {
    const name = key.toString()
    this.#memory.delete(name)
    if (this.#files.delete(name) && !this.#stopped) await this.#noted(super.delete(key, options))
  }

  override async *_all(...[query, options]: Parameters<FsDatastore['_all']>) {
    const prefix = query.prefix ?? '/'
    for (const { key, value } of [...this.#memory.values()]) {
      if (key.toString().startsWith(prefix)) yield { key, value }
    }
    for await (const pair of super._all(query, options)) {
      if (!this.#memory.has(pair.key.toString())) yield pair
    }
  }

  override async *_allKeys(...[query, options]: Parameters<FsDatastore['_allKeys']>) {
    const prefix = query.prefix ?? '/'
    for (const { key } of [...this.#memory.values()]) {
      if (key.toString().startsWith(prefix)) yield key
    }
    for await (const key of super._allKeys(query, options)) {
      if (!this.#memory.has(key.toString())) yield key
    }
  }

  #noted<Result>(work: Promise<Result>): Promise<Result> {
    this.#underWay.add(work)
    return work.finally(() => this.#underWay.delete(work))
  }

  #isForDisk(name: string): boolean {
    if (this.#stopped || !name.startsWith('/peers/')) return false
    return this.#files.has(name) || this.#files.size < peerFilesMax
  }
}
