import { alie } from './alie.ts'
import type { Accomplices, Attack } from './attack.ts'
import { contacts } from './contacts.ts'
import { dataPoison } from './data-poison.ts'
import { dissensus } from './dissensus.ts'
import { downloadOnly } from './download-only.ts'
import { drift } from './drift.ts'
import { echo } from './echo.ts'
import { equivocate } from './equivocate.ts'
import { flood } from './flood.ts'
import { freeRider } from './free-rider.ts'
import { garbage } from './garbage.ts'
import { gaussian } from './gaussian.ts'
import { ipm } from './ipm.ts'
import { late } from './late.ts'
import { mimic } from './mimic.ts'
import { numeric } from './numeric.ts'
import { random } from './random.ts'
import { records } from './records.ts'
import { replay } from './replay.ts'
import { sameValue } from './same-value.ts'
import { signFlip } from './sign-flip.ts'
import { silent } from './silent.ts'
import type { AdversaryKind, AdversarySpec, SpecOf } from './spec.ts'
import { stranger } from './stranger.ts'
import { unasked } from './unasked.ts'
import { wrongRound } from './wrong-round.ts'
import { zero } from './zero.ts'

/** Every attack there is. */
const attacks: {
  readonly [Kind in AdversaryKind]: (spec: SpecOf<Kind>, accomplices: Accomplices) => Attack
} = {
  // models
  'sign-flip': signFlip,
  gaussian,
  random,
  zero,
  'same-value': sameValue,
  nan: () => numeric({ value: 'nan' }),
  numeric,
  alie,
  ipm,
  dissensus,
  drift,
  mimic,
  replay,
  equivocate,
  // data
  'label-flip': dataPoison,
  'noisy-labels': dataPoison,
  'one-class': dataPoison,
  backdoor: dataPoison,
  // work
  'free-rider': (_, accomplices) => freeRider(accomplices),
  'download-only': (_, accomplices) => downloadOnly(accomplices),
  // time
  late,
  stale: ({ rounds }) => wrongRound(-rounds),
  future: ({ rounds }) => wrongRound(rounds),
  echo,
  silent,
  // protocol
  garbage,
  flood,
  stranger,
  unasked,
  // membership
  contacts,
  records
}

/** The attack of one peer for one of its lives: some remember. */
export function createAttack(spec: AdversarySpec, accomplices: Accomplices): Attack {
  // A table keyed by kind holds for each spec the maker that takes it, which the type cannot follow.
  const create = attacks[spec.kind] as (spec: AdversarySpec, accomplices: Accomplices) => Attack
  return create(spec, accomplices)
}
