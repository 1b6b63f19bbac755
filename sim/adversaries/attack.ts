import type { Message, PeerId } from '../../protocols/messages.ts'
import type { Signer } from '../../protocols/records/record.ts'
import type { Random } from '../../src/core/random.ts'
import type { TrainResult, TrainState } from '../../src/learning/training.ts'

/**
 * What one hostile peer does in place of what an honest one does. Everything else (hellos, rounds,
 * training, saving) it does as everybody else: an honest participant lives inside it.
 */
export interface Attack {
  /**
   * Whether it goes on from its merged model, as honest peers do. If not, it trains its own model
   * alone, and what neighbours send it changes nothing but its pace.
   */
  readonly adopts: boolean
  /** Whether it lies with what honest peers send in the same round, and waits for that. */
  readonly spies: boolean
  /** Tells each neighbour something else; without it, all of a round hear the same. */
  readonly twoFaced?: true
  /** So long each model is kept back, in milliseconds; what follows it is not told before. */
  readonly holdMs?: number
  /**
   * Makes the parameters that leave in place of the true ones. The truth itself is an answer, too:
   * that of a peer whose training was the lie. Without it, models leave as they are.
   *
   * @returns a model of shape [P], not written to afterwards; undefined while there is nothing to
   *   lie with yet, and then the truth leaves and does not count as a lie
   */
  forge?(moment: Moment): Float32Array | undefined
  /**
   * What leaves in place of any message, in this order: messages, and bytes that need not be one.
   * The message itself is among it where it leaves as well.
   *
   * @param message - with the forged model, where there is one
   * @returns undefined when the message leaves as it is, and that does not count as a lie
   */
  instead?(message: Message, to: number): readonly Parcel[] | undefined
  /** Does not take this message in: it comes of a lie, and an honest peer would not know it. */
  ignores?(message: Message): boolean
  /** What it says training came to; without it, it trains. */
  pretend?(state: TrainState, steps: number): TrainResult
}

/** What travels: a message, or bytes as a hostile peer makes them. */
export type Parcel = Message | Uint8Array<ArrayBuffer>

/** What an attacker knows when a model of its leaves. Arrays are not written to. */
export interface Moment {
  /** What it would send if it were honest; shape [P]. */
  readonly truth: Float32Array
  /** Number of the peer that it is for. */
  readonly to: number
  /** How often it has trained, or pretended to, in this life. */
  readonly trainings: number
  /**
   * Models of peers that it knows of, by number and in its order: of this round, or their newest.
   * Which peers, says the spec's `knowledge`; by default all living honest ones.
   */
  readonly seen: ReadonlyMap<number, Float32Array>
}

/** What an attack is made of besides its own numbers. */
export interface Accomplices {
  /** Dice of its own, others in each life. */
  readonly random: Random
  /** The same for all hostile peers and in all their lives: to be forked by name. */
  readonly shared: Random
  /** Peers of the world, and how many of them are hostile. */
  readonly peers: number
  readonly hostileCount: number
  /** Their names as they are now, in order of number. */
  readonly names: () => readonly PeerId[]
  /** With the keys of accomplices, and of peers that are made up. */
  readonly signerOf: (peer: PeerId) => Signer
  /** CID of what the swarm works on. */
  readonly task: string
  /** How long others wait for a model, in milliseconds. */
  readonly deadlineMs: number
  /** Samples in a batch of training. */
  readonly batchSize: number
  /**
   * Living neighbours of a peer, with the weight Wᵢⱼ that it gives to each in a merge of them all; up
   * to a factor that is common to all of them.
   */
  readonly neighbourhood: (peer: number) => readonly Neighbour[]
}

export interface Neighbour {
  readonly peer: number
  readonly weight: number
  readonly honest: boolean
}
