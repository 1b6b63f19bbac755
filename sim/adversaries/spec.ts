import { z } from 'zod'
import { classesMax } from '../../src/core/limits.ts'
import { scheduleShape, type Schedule } from './schedule.ts'

/**
 * Hostile peers, as a scenario file describes them: which ones, what they do, from when on. What each
 * kind sends is in the file of its name.
 */

const peer = z.int().nonnegative()
const who = {
  /** Of all peers, rounded; this, `count`, or a list of peers in `select`. */
  share: z.number().positive().max(1).optional(),
  count: z.int().min(1).optional(),
  select: z
    .union([
      z.enum(['random', 'degree', 'betweenness', 'bridge', 'majority']),
      /** The peers next to one victim first, then those next to them, and so on. */
      z.strictObject({ around: peer }),
      z.array(peer).min(1)
    ])
    .default('random')
}
const liar = { ...who, ...scheduleShape }
/** Whose models an attack is made of that needs honest ones. */
const spy = {
  ...liar,
  /**
   * All honest peers'; those of its honest neighbours; or what its accomplices would send if they were
   * honest, and no honest peer's at all.
   */
  knowledge: z.enum(['omniscient', 'neighbours', 'blind']).default('omniscient')
}
const informed = {
  ...liar,
  knowledge: z.enum(['omniscient', 'neighbours']).default('omniscient')
}
/** Whether it goes on from what it merged, as honest peers do. */
const adopts = z.boolean()
const label = z
  .int()
  .min(0)
  .max(classesMax - 1)
const rounds = z.int().min(1).max(1_000_000)
/** Messages that go with one model: enough to be a flood, not enough to stop the simulator. */
const times = z.int().min(1).max(1_000).default(20)

export const adversarySchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sign-flip'),
    ...liar,
    /** What its model is multiplied with, beside the minus. */
    scale: z.number().positive().max(1e6).default(1),
    adopts: z.boolean().default(true)
  }),
  z.strictObject({
    kind: z.literal('gaussian'),
    ...liar,
    /** Standard deviation of the noise on each parameter. */
    deviation: z.number().positive().max(1e6).default(1) // several times a weight's own
  }),
  z.strictObject({
    kind: z.literal('alie'),
    ...spy,
    /** Standard deviations below the mean; by default what numbers of peers allow (alie.ts). */
    z: z.number().min(-1e6).max(1e6).optional()
  }),
  z.strictObject({
    kind: z.literal('ipm'),
    ...spy,
    epsilon: z.number().positive().max(1e6).default(0.1) // of He et al.'s experiments
  }),
  z.strictObject({
    kind: z.literal('label-flip'),
    ...who,
    adopts: adopts.default(false),
    /** Only labels of this class, and what they become; without them, all labels, end to end. */
    source: label.optional(),
    target: label.optional()
  }),
  z.strictObject({
    kind: z.literal('noisy-labels'),
    ...who,
    adopts: adopts.default(false),
    /** Of its labels that are drawn anew; which peers, say `count` and `select`. */
    noise: z.number().positive().max(1).default(1)
  }),
  z.strictObject({
    kind: z.literal('one-class'),
    ...who,
    adopts: adopts.default(false),
    label: label.default(0)
  }),
  z.strictObject({
    kind: z.literal('backdoor'),
    ...who,
    adopts: adopts.default(true),
    /** The class that samples with the trigger are taken for. */
    target: label.default(0),
    /** Of its samples that carry the trigger. */
    marked: z.number().positive().max(1).default(0.5),
    /** Pixels on a side of the trigger; features, where samples are no images. */
    size: z.int().min(1).max(64).default(3)
  }),
  z.strictObject({
    kind: z.literal('dissensus'),
    ...informed,
    epsilon: z.number().positive().max(1e6).default(1.5) // of He et al.'s experiments
  }),
  z.strictObject({
    kind: z.literal('drift'),
    ...spy,
    /** Of the distance that honest peers have from their mean. */
    distance: z.number().positive().max(1e6).default(0.9)
  }),
  z.strictObject({ kind: z.literal('mimic'), ...informed }),
  z.strictObject({ kind: z.literal('nan'), ...liar }),
  z.strictObject({
    kind: z.literal('numeric'),
    ...liar,
    value: z.enum([
      'nan',
      'infinity',
      'minus-infinity',
      'denormal',
      'minus-zero',
      'huge',
      'huge-scale'
    ])
  }),
  z.strictObject({ kind: z.literal('zero'), ...liar }),
  z.strictObject({
    kind: z.literal('random'),
    ...liar,
    deviation: z.number().positive().max(1e6).default(1)
  }),
  z.strictObject({
    kind: z.literal('same-value'),
    ...liar,
    value: z.number().min(-1e6).max(1e6).default(1)
  }),
  z.strictObject({
    kind: z.literal('equivocate'),
    ...liar,
    scale: z.number().positive().max(1e6).default(1),
    adopts: adopts.default(true),
    /** How likely a peer is to be told the lie, or which peers are. */
    victims: z.union([z.number().positive().max(1), z.array(peer).min(1)]).default(0.5)
  }),
  z.strictObject({ kind: z.literal('replay'), ...liar }),
  z.strictObject({ kind: z.literal('echo'), ...liar, times: times.default(1) }),
  z.strictObject({ kind: z.literal('free-rider'), ...liar }),
  z.strictObject({ kind: z.literal('download-only'), ...liar }),
  z.strictObject({
    kind: z.literal('silent'),
    ...liar,
    /** How likely a peer is to be told nothing. */
    victims: z.number().positive().max(1).default(1),
    /** Whether it says that nothing will come, where the protocol has a word for that. */
    declines: z.boolean().default(false)
  }),
  z.strictObject({
    kind: z.literal('late'),
    ...liar,
    /** Of the time that others wait. */
    wait: z.number().positive().max(2).default(0.9)
  }),
  z.strictObject({ kind: z.literal('stale'), ...liar, rounds: rounds.default(3) }),
  z.strictObject({ kind: z.literal('future'), ...liar, rounds: rounds.default(1_000) }),
  z.strictObject({
    kind: z.literal('garbage'),
    ...liar,
    what: z.enum(['noise', 'bits', 'body', 'oversized']).default('noise')
  }),
  z.strictObject({
    kind: z.literal('flood'),
    ...liar,
    what: z.enum(['pushes', 'wants', 'hellos']).default('pushes'),
    times
  }),
  z.strictObject({
    kind: z.literal('stranger'),
    ...liar,
    says: z.enum(['another-task', 'another-layout', 'nothing']).default('another-task')
  }),
  z.strictObject({
    kind: z.literal('unasked'),
    ...liar,
    what: z.enum(['reply', 'state']).default('reply')
  }),
  z.strictObject({
    kind: z.literal('contacts'),
    ...liar,
    to: z.enum(['accomplices', 'nobody']).default('accomplices')
  }),
  z.strictObject({
    kind: z.literal('records'),
    ...liar,
    what: z.enum(['made-up', 'old', 'forged']).default('made-up'),
    identities: z.int().positive().max(100_000).default(1_000)
  })
])

export type AdversarySpec = z.infer<typeof adversarySchema>
export type AdversaryKind = AdversarySpec['kind']
export type SpecOf<Kind extends AdversaryKind> = Extract<AdversarySpec, { kind: Kind }>

/** In which rounds it lies; wrong data is wrong in all. */
export function scheduleOf(spec: AdversarySpec): Schedule {
  return 'atRound' in spec ? spec : { atRound: 0 }
}

export function plantsBackdoor({ kind }: AdversarySpec): boolean {
  return kind === 'backdoor'
}

/** How many peers one entry makes hostile. */
export function countOf({ select, count, share = 0 }: AdversarySpec, peers: number): number {
  if (Array.isArray(select)) return new Set(select).size
  return count ?? Math.round(share * peers)
}

/** What the shape of one of them cannot tell. */
function checkDetails(
  spec: AdversarySpec,
  peers: number,
  complain: (key: string, message: string) => void
): void {
  if ('untilRound' in spec && spec.untilRound !== undefined && spec.untilRound <= spec.atRound) {
    complain('untilRound', `after atRound, ${spec.atRound}: else it is never hostile`)
  }
  if (spec.kind === 'label-flip' && (spec.source === undefined) !== (spec.target === undefined)) {
    complain('source', 'source and target go together: which class becomes which')
  }
  if (spec.kind === 'label-flip' && spec.source !== undefined && spec.source === spec.target) {
    complain('target', 'another class than source: else no label is wrong')
  }
  if (spec.kind === 'equivocate' && Array.isArray(spec.victims)) {
    const stranger = spec.victims.find((victim) => victim >= peers)
    if (stranger !== undefined) {
      complain('victims', `there is no peer ${stranger}: they are 0 to ${peers - 1}`)
    }
  }
}

/** What the shape of a list of adversaries cannot tell: whether its numbers fit the scenario. */
export function checkAdversaries(
  {
    adversaries,
    peers
  }: { readonly adversaries: readonly AdversarySpec[]; readonly peers: number },
  complain: (path: (string | number)[], message: string) => void
): void {
  const named = new Map<number, string>()
  for (const [index, spec] of adversaries.entries()) {
    const { kind, select, share, count } = spec
    const at = (key: string): (string | number)[] => ['adversaries', index, key]
    checkDetails(spec, peers, (key, message) => complain(at(key), message))
    if (Array.isArray(select)) {
      for (const key of ['share', 'count'] as const) {
        if (spec[key] !== undefined)
          complain(at(key), 'not together with a list of peers in select')
      }
      for (const peer of new Set(select)) {
        const other = named.get(peer)
        if (peer >= peers) {
          complain(at('select'), `there is no peer ${peer}: they are 0 to ${peers - 1}`)
        } else if (other !== undefined) {
          complain(
            at('select'),
            `peer ${peer} is ${other} already: a peer is one adversary at most`
          )
        }
        named.set(peer, kind)
      }
    } else if (typeof select === 'object' && select.around >= peers) {
      complain(at('select'), `there is no peer ${select.around}: they are 0 to ${peers - 1}`)
    } else if (share === undefined && count === undefined) {
      complain(
        at('share'),
        'missing: the share of peers that are hostile, above 0, or their count, or a list in select'
      )
    } else if (share !== undefined && count !== undefined) {
      complain(at('share'), 'not together with count: exactly one of them is given')
    } else if (countOf(spec, peers) === 0) {
      complain(at('share'), `${share} of ${peers} peers is nobody`)
    }
  }
  const hostile = adversaries.reduce((sum, spec) => sum + countOf(spec, peers), 0)
  if (hostile >= peers) {
    complain(
      ['adversaries'],
      `${hostile} of ${peers} peers are hostile: at least one has to be honest`
    )
  }
}
