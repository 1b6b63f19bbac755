import type { MergingSnapshot } from '../protocols/tally.ts'
import type { Participant } from '../protocols/participant.ts'
import type { Mode } from './access/gate.ts'
import type { Libp2pBody } from './body.ts'
import type { Reached } from './nat/reach.ts'
import type { Reachability } from './nat/reachability.ts'
import type { Work } from './work.ts'

/** What `status` tells; the names are a promise to programs. */
export interface Status {
  readonly peerId: string
  readonly version: string
  readonly task: string | null
  readonly state: string
  readonly round: number
  readonly steps: number
  readonly samplesSeen: number
  readonly loss: number | null
  readonly accuracy: number | null
  /** Rounds finished when that accuracy was measured. */
  readonly evaluatedRound: number | null
  readonly peers: {
    readonly known: number
    readonly connected: number
    readonly direct: number
    readonly relayed: number
  }
  readonly reachability: Reachability
  /** What that verdict rests on, and what to do about it. */
  readonly reach: Omit<Reached, 'reachability'>
  readonly listen: readonly string[]
  readonly join: string | null
  /** Who may take part: everybody, those in the allow list, or who is invited, too. */
  readonly access: Mode
  /** Whose models went into the last merge. */
  readonly mergedWith: readonly string[]
  readonly exchanges: {
    readonly ok: number
    readonly failed: number
    readonly rejected: number
    readonly rejectedBy: Readonly<Record<string, number>>
  }
  /** Names the training history of our model, and how many there are around us. */
  readonly lineage: string | null
  readonly lineages: number
  readonly merging: MergingSnapshot & { readonly rule: string | null }
  readonly bytes: { readonly sent: number; readonly received: number }
  /** When the last checkpoint was written, ISO 8601; null before the first of this life. */
  readonly lastCheckpoint: string | null
  /** Round of the checkpoint that this life began from; null when it began anew. */
  readonly resumedRound: number | null
  /** Which code trains, and why. */
  readonly backend: string | null
  readonly backendReason: string | null
  /** Time of one training step, measured when training was set up, in milliseconds. */
  readonly stepMs: number | null
  readonly data: string | null
  readonly samples: number
  /** Contained failures of our own code: anything but 0 is worth a report. */
  readonly bugs: number
  readonly uptimeSeconds: number
}

/** Everything in a status but what the process itself knows. */
export function describe(
  machine: Participant,
  body: Libp2pBody,
  work: Work
): Omit<Status, 'version' | 'access' | 'resumedRound' | 'uptimeSeconds'> {
  const snapshot = machine.snapshot()
  const network = body.status()
  const { reachability, line, ...reach } = body.reach()
  return {
    peerId: snapshot.self,
    task: snapshot.task,
    state: snapshot.state,
    round: snapshot.round,
    steps: snapshot.steps,
    samplesSeen: snapshot.age,
    loss: snapshot.loss,
    accuracy: snapshot.evaluation?.accuracy ?? null,
    evaluatedRound: snapshot.evaluation?.round ?? null,
    peers: {
      known: snapshot.known,
      connected: snapshot.peers.filter(({ introduced }) => introduced).length,
      ...network.paths
    },
    reachability,
    reach,
    listen: network.addresses,
    join: line?.address ?? null,
    mergedWith: snapshot.mergedWith,
    exchanges: snapshot.exchanges,
    lineage: snapshot.lineage,
    lineages: snapshot.lineages,
    merging: { rule: machine.task?.manifest.merge.rule ?? null, ...snapshot.merging },
    bytes: { sent: network.bytesSent, received: network.bytesReceived },
    lastCheckpoint: work.savedAt?.toISOString() ?? null,
    backend: work.description?.backend ?? null,
    backendReason: work.description?.reason ?? null,
    stepMs: work.description?.stepMs ?? null,
    data: work.data,
    samples: snapshot.samples,
    bugs: network.bugs
  }
}
