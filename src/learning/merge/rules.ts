import { z } from 'zod'
import { average } from './average.ts'
import type { MergeRule } from './rule.ts'
import { varianceCorrected } from './variance-corrected.ts'

const weights = z
  /**
   * `uniform`: all the same. `samples`: by training samples (FedAvg, DecAvg).
   * `metropolis`: 1 / (1 + the larger of both degrees), the rest for ourselves.
   */
  .enum(['uniform', 'samples', 'metropolis'])
  .default('uniform')

/** Which rule merges, and how much each model weighs; part of the task. */
export const mergeSchema = z.discriminatedUnion('rule', [
  z.strictObject({ rule: z.literal('average'), weights }),
  z.strictObject({
    rule: z.literal('variance-corrected'),
    weights,
    /** Whose variance the average gets back. */
    target: z.enum(['others', 'self', 'conservative']).default('others')
  })
])

export type MergeSpec = z.infer<typeof mergeSchema>

export interface MergeRuleEntry<Spec extends MergeSpec> {
  /** One line for people. */
  readonly description: string
  create(spec: Spec): MergeRule
}

/** Every rule there is. test/learning/merge/rules.test.ts runs the contract over all of them. */
export const mergeRules: { readonly [Spec in MergeSpec as Spec['rule']]: MergeRuleEntry<Spec> } = {
  average: {
    description: 'the weighted average of all models',
    create: () => average
  },
  'variance-corrected': {
    description:
      'the weighted average, with the variance of each weight tensor put back ' +
      '(for models that did not start from the same parameters)',
    create: varianceCorrected
  }
}

export function createMergeRule(spec: MergeSpec): MergeRule {
  // A table keyed by rule holds for each spec the entry that takes it, which the type cannot follow.
  const entry = mergeRules[spec.rule] as MergeRuleEntry<MergeSpec>
  return entry.create(spec)
}
