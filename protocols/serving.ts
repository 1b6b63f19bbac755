import type { Ours } from './local-model.ts'
import type { Message, PeerId, Want } from './messages.ts'
import type { Rejection } from './participant-io.ts'

/** Serving a model costs its sender far more than asking for it: once in this time for each peer. */
const serveEveryMs = 1_000

/** Gives newcomers the task and the newest parameters, and not too often. */
export class Serving {
  readonly #servedMs = {
    task: new Map<PeerId, number>(),
    state: new Map<PeerId, number>()
  }

  /**
   * @param introduced - only such peers are given parameters
   * @returns what was wanted, or why not: `full` when this peer had the same a moment ago
   */
  answer(
    to: PeerId,
    introduced: boolean,
    { what, ...want }: Want,
    { task, model }: Ours,
    nowMs: number
  ): Message | Rejection {
    if (task === null || model === undefined) return 'unexpected'
    if (want.task !== null && want.task !== task.cid) return 'unexpected'
    if (what === 'state' && !introduced) return 'unintroduced'
    const served = this.#servedMs[what]
    if (nowMs - (served.get(to) ?? -Infinity) < serveEveryMs) return 'full'
    served.set(to, nowMs)
    if (what === 'task') return { kind: 'task', manifest: task.bytes }
    return { kind: 'state', ...model.travelling }
  }

  forget(peer: PeerId): void {
    this.#servedMs.task.delete(peer)
    this.#servedMs.state.delete(peer)
  }
}
