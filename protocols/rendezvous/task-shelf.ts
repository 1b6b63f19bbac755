import { cidOf } from '../../src/core/cid.ts'
import { helperManifestBytesMax, helperTasksMax } from '../../src/core/limits.ts'

/**
 * Task manifests as their bytes, each under the CID that is their hash: what is no task at all harms nobody
 * but those who ask for that CID. Bounded in number and bytes; where room is short, a task gives way to one
 * of which more peers are there.
 */
export class TaskShelf {
  readonly #manifests = new Map<string, Uint8Array>()
  readonly #countPeers: () => ReadonlyMap<string, number>
  #bytes = 0

  /** @param countPeers - connected peers of each task */
  constructor(countPeers: () => ReadonlyMap<string, number>) {
    this.#countPeers = countPeers
  }

  get(task: string): Uint8Array | undefined {
    return this.#manifests.get(task)
  }

  /** CIDs, those of most peers first. */
  get tasks(): readonly string[] {
    const counts = this.#countPeers()
    const peersOf = (task: string): number => counts.get(task) ?? 0
    return [...this.#manifests.keys()].sort((a, b) => peersOf(b) - peersOf(a) || (a < b ? -1 : 1))
  }

  /** Whether it is worth asking for: not here yet, and somebody would give way if there is no room. */
  wants(task: string): boolean {
    if (this.#manifests.has(task)) return false
    return this.#manifests.size < helperTasksMax || this.#yieldsTo(task) !== undefined
  }

  /** @returns false for bytes that are not those of this CID */
  put(task: string, manifest: Uint8Array): boolean {
    if (cidOf(manifest) !== task) return false
    while (
      this.#manifests.size >= helperTasksMax ||
      this.#bytes + manifest.length > helperManifestBytesMax
    ) {
      const victim = this.#yieldsTo(task)
      if (victim === undefined) return true
      this.#bytes -= this.#manifests.get(victim)?.length ?? 0
      this.#manifests.delete(victim)
    }
    this.#manifests.set(task, manifest)
    this.#bytes += manifest.length
    return true
  }

  /** The task of fewest peers, if it has fewer than this one. */
  #yieldsTo(task: string): string | undefined {
    const least = this.tasks.at(-1)
    const counts = this.#countPeers()
    const isLess = (counts.get(least ?? '') ?? 0) < (counts.get(task) ?? 0)
    return isLess ? least : undefined
  }
}
