import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { layerSpecSchema } from '../../../src/learning/layers/layers.ts'
import { presetSchema } from '../../../src/learning/model/spec.ts'
import { lossKinds, optimizerSchema } from '../../../src/learning/training.ts'

const text = readFileSync(join(import.meta.dirname, '../../../docs/models.md'), 'utf8')
const keysOfAll = ['kind', 'name', 'from', 'preset']
const commonKeys = ['weightDecay', 'clipNorm', 'schedule']

/** The row of a table that begins with a word. */
function rowOf(word: string): string {
  return text.split('\n').find((line) => line.startsWith(`| \`${word}\` |`)) ?? ''
}

const ownKeys = (shape: object, others: readonly string[]): string[] =>
  Object.keys(shape).filter((key) => !others.includes(key))

describe('docs/models.md', () => {
  it.each(layerSpecSchema.options.map(({ shape }) => [shape.kind.value, shape] as const))(
    'has %s and its keys',
    (kind, shape) => {
      expect(rowOf(kind)).not.toBe('')
      if (['avgPool2d', 'depthwiseConv2d'].includes(kind)) return // refer to another row
      for (const key of ownKeys(shape, keysOfAll)) expect(rowOf(kind)).toContain(`\`${key}\``)
    }
  )

  it.each(presetSchema.options.map(({ shape }) => [shape.preset.value, shape] as const))(
    'has the preset %s and its options',
    (preset, shape) => {
      expect(rowOf(preset)).not.toBe('')
      for (const key of ownKeys(shape, keysOfAll)) expect(rowOf(preset)).toContain(`\`${key}\``)
    }
  )

  it('has every loss and optimizer, and what all optimizers take', () => {
    for (const loss of lossKinds) expect(text).toContain(`\`${loss}\``)
    for (const { shape } of optimizerSchema.options) {
      expect(rowOf(shape.kind.value)).not.toBe('')
      if (shape.kind.value === 'adamw') continue // refers to another row
      for (const key of ownKeys(shape, [...keysOfAll, ...commonKeys])) {
        expect(rowOf(shape.kind.value)).toContain(`\`${key}\``)
      }
    }
    for (const key of commonKeys) expect(text).toContain(`- \`${key}\``)
  })
})
