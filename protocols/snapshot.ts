import type { Acquaintance } from './acquaintance.ts'
import type { Ours } from './local-model.ts'
import type { PeerId } from './messages.ts'
import type { Evaluation } from './participant-io.ts'
import type { ExchangeCounts, MergingSnapshot, Tally } from './tally.ts'

export type ParticipantState =
  | 'joining' // looking for peers, the task or the newest parameters
  | 'training'
  | 'exchanging'
  | 'waiting' // for the next round's start
  | 'settling' // all rounds are done, merging goes on until all agree
  | 'finished' // all rounds that were asked for are done; still answers peers
  | 'stopped'

/** Plain JSON picture of a participant: for status, dashboards and reports. */
export interface Snapshot {
  readonly self: PeerId
  readonly task: string | null
  readonly state: ParticipantState
  readonly round: number
  readonly steps: number
  readonly age: number
  readonly samples: number
  /** Mean loss of the last local training; null before the first. */
  readonly loss: number | null
  /** The last evaluation on held-out samples, and after which round it was. */
  readonly evaluation: (Evaluation & { readonly round: number }) | null
  /** Whose models went into the last merge. */
  readonly mergedWith: readonly PeerId[]
  /** Of our model. Null before there is one. */
  readonly lineage: string | null
  /** Different ones among our model and those of our neighbours. */
  readonly lineages: number
  readonly merging: MergingSnapshot
  readonly peers: readonly PeerSnapshot[]
  /** Peers whose addresses we remember, connected or not. */
  readonly known: number
  /** Those of our task that live, in order of id, as their newest records say; at most contactsMax. */
  readonly swarm: readonly SwarmMember[]
  /** Connected helpers. */
  readonly helpers: readonly PeerId[]
  readonly exchanges: ExchangeCounts
  readonly lastSavedRound: number | null
}

export interface PeerSnapshot {
  readonly peer: PeerId
  /** False until its hello named our task. */
  readonly introduced: boolean
  readonly round: number
  readonly age: number
}

/** Another peer of our task, met or not. Round, age and version are its own claims. */
export interface SwarmMember {
  readonly peer: PeerId
  readonly round: number
  readonly age: number
  readonly version: string
  /** Since anybody had word of it. */
  readonly heardSecondsAgo: number
  readonly connected: boolean
}

/** What a snapshot is taken of. */
export interface Subject extends Pick<
  Snapshot,
  'self' | 'state' | 'evaluation' | 'lastSavedRound'
> {
  readonly ours: Ours
  readonly acquaintance: Acquaintance
  readonly tally: Tally
  /** When it last was told anything. */
  readonly nowMs: number
}

export function takeSnapshot({ ours, acquaintance, tally, nowMs, ...facts }: Subject): Snapshot {
  const { task, model } = ours
  const lineages = [model, ...acquaintance.neighbours].flatMap((one) => one?.lineage ?? [])
  return {
    self: facts.self,
    task: task?.cid ?? null,
    state: facts.state,
    round: model?.round ?? 0,
    steps: model?.state.steps ?? 0,
    age: model?.age ?? 0,
    samples: model?.samples ?? 0,
    loss: model?.loss ?? null,
    evaluation: facts.evaluation,
    mergedWith: tally.mergedWith,
    lineage: model?.lineage ?? null,
    lineages: new Set(lineages).size,
    merging: tally.merging,
    peers: acquaintance.connected.map(({ peer, round, age }) => {
      return { peer, introduced: acquaintance.isIntroduced(peer), round, age }
    }),
    known: acquaintance.book.size,
    swarm: task === null ? [] : swarmOf(acquaintance, task.cid, nowMs),
    helpers: acquaintance.connected.filter(({ role }) => role === 'helper').map(({ peer }) => peer),
    exchanges: tally.exchanges,
    lastSavedRound: facts.lastSavedRound
  }
}

function swarmOf(acquaintance: Acquaintance, task: string, nowMs: number): SwarmMember[] {
  const members: SwarmMember[] = []
  for (const entry of acquaintance.book.entries) {
    const { signed, peer, heardMs } = entry
    const neighbour = acquaintance.peer(peer)
    if (signed?.record.task !== task) continue
    if (neighbour === undefined && !acquaintance.book.isAlive(entry, nowMs)) continue
    const { round, age, version } = signed.record
    members.push({
      peer,
      round: Math.max(round, neighbour?.round ?? 0),
      age: Math.max(age, neighbour?.age ?? 0),
      version,
      heardSecondsAgo: neighbour === undefined ? Math.ceil((nowMs - heardMs) / 1_000) : 0,
      connected: neighbour !== undefined
    })
  }
  return members.sort((a, b) => (a.peer < b.peer ? -1 : 1))
}
