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
  | 'ahead' // waiting for the swarm to come after us
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

/** What a snapshot is taken of. */
export interface Subject extends Pick<
  Snapshot,
  'self' | 'state' | 'evaluation' | 'lastSavedRound'
> {
  readonly ours: Ours
  readonly acquaintance: Acquaintance
  readonly tally: Tally
}

export function takeSnapshot({ ours, acquaintance, tally, ...facts }: Subject): Snapshot {
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
    known: acquaintance.knownCount,
    exchanges: tally.exchanges,
    lastSavedRound: facts.lastSavedRound
  }
}
