import { describe, expect, it } from 'vitest'
import { createMergeRule, mergeRules, mergeSchema } from '../../../src/learning/merge/rules.ts'
import { mergeRuleContract } from './contract.ts'

/** Every rule in the table as a task names it, and every option that a rule has. */
const specs = [
  ...Object.keys(mergeRules).map((rule) => ({ rule })),
  { rule: 'variance-corrected', target: 'self' },
  { rule: 'variance-corrected', target: 'conservative' }
]

describe.each(specs)('every merge rule: %o', (spec) => {
  mergeRuleContract(createMergeRule(mergeSchema.parse(spec)))
})

describe('a task names its merge rule', () => {
  it('and defaults are written out, so that a manifest has one form', () => {
    expect(mergeSchema.parse({ rule: 'average' })).toEqual({ rule: 'average', weights: 'uniform' })
    expect(mergeSchema.parse({ rule: 'variance-corrected' })).toEqual({
      rule: 'variance-corrected',
      weights: 'uniform',
      target: 'others'
    })
  })

  it('and cannot give a rule what it does not have', () => {
    expect(mergeSchema.safeParse({ rule: 'average', target: 'self' }).success).toBe(false)
    expect(mergeSchema.safeParse({ rule: 'median' }).success).toBe(false)
    expect(mergeSchema.safeParse({ rule: 'average', weights: 'loudest' }).success).toBe(false)
  })

  it('and every rule says what it does in one line', () => {
    for (const { description } of Object.values(mergeRules))
      expect(description).toMatch(/^[^\n]{10,}$/)
  })
})
