import fc from 'fast-check'
import type { LayerSpec } from '../../../src/learning/layers/layers.ts'
import type { LayerCase } from './layer-cases.ts'

export type SizedCase = LayerCase & { readonly count: number }

const side = fc.integer({ min: 1, max: 21 })
const few = fc.integer({ min: 1, max: 5 })
const classes = 3
const scores: LayerSpec = { kind: 'dense', units: classes }

/** Layers for sequences, with something to learn before and after them, in any size. */
export const sequenceShapes: Record<string, fc.Arbitrary<SizedCase>> = {
  embedding: fc
    .record({ count: few, positions: side, width: side })
    .map(({ count, positions, width }) => ({
      layers: [
        { kind: 'embedding', vocabulary: classes, width, initialiser: { normal: 1 } },
        { kind: 'positionalEmbedding' },
        scores
      ],
      data: { shape: [positions], classes, positions },
      count
    })),
  causalSelfAttention: fc
    .record({ count: few, positions: side, heads: few, depth: fc.integer({ min: 1, max: 12 }) })
    .map(({ count, positions, heads, depth }) => ({
      layers: [
        { kind: 'dense', units: heads * depth, initialiser: { normal: 1 } },
        { kind: 'causalSelfAttention', heads },
        scores
      ],
      data: { shape: [positions, 2], classes, positions },
      count
    })),
  lstm: fc
    .record({ count: few, positions: side, units: side, sequences: fc.boolean() })
    .map(({ count, positions, units, sequences }) => ({
      layers: [{ kind: 'dense', units: 2 }, { kind: 'lstm', units, sequences }, scores],
      data: { shape: [positions, 2], classes, ...(sequences && { positions }) },
      count
    }))
}
