import type { DataSchema } from '../../../../src/learning/data/dataset.ts'
import type { LayerSpec } from '../../../../src/learning/layers/layers.ts'
import type { LayerCase } from '../layer-cases.ts'

/** Five indices below six; one label for each. */
const text: DataSchema = { shape: [5], classes: 6, positions: 5 }
const scores: LayerSpec = { kind: 'dense', units: 6 }

/** Models of sequences, each with sides that no vector and no block divides. */
export const sequenceCases: Record<string, LayerCase> = {
  'an embedding': {
    layers: [{ kind: 'embedding', vocabulary: 6, width: 3 }, scores],
    data: text
  },
  'a positional embedding': {
    layers: [
      { kind: 'embedding', vocabulary: 6, width: 3 },
      { kind: 'positionalEmbedding', initialiser: { normal: 0.5 } },
      { kind: 'dense', units: 5, activation: 'gelu' },
      scores
    ],
    data: text
  },
  'causal self-attention, one head': {
    layers: [
      { kind: 'embedding', vocabulary: 6, width: 3, initialiser: { normal: 1 } },
      { kind: 'causalSelfAttention', heads: 1 },
      scores
    ],
    data: text
  },
  'causal self-attention, three heads over features': {
    layers: [
      { kind: 'dense', units: 6 },
      { kind: 'causalSelfAttention', heads: 3 },
      { kind: 'flatten' },
      { kind: 'dense', units: 3 }
    ],
    data: { shape: [9, 4], classes: 3 }
  },
  'a block of GPT with dropout, over features': {
    layers: [
      { kind: 'dense', units: 6 },
      { kind: 'gptBlock', heads: 2, expansion: 3, dropout: 0.3 },
      { kind: 'flatten' },
      { kind: 'dense', units: 3 }
    ],
    data: { shape: [5, 4], classes: 3 }
  },
  'two blocks of GPT': {
    layers: [
      { kind: 'embedding', vocabulary: 6, width: 4, initialiser: { normal: 1 } },
      { kind: 'gptBlock', heads: 2 },
      { kind: 'gptBlock', heads: 1, expansion: 2 },
      scores
    ],
    data: text
  },
  'an lstm': {
    layers: [
      { kind: 'lstm', units: 5 },
      { kind: 'dense', units: 3 }
    ],
    data: { shape: [7, 3], classes: 3 }
  },
  'an lstm over an lstm': {
    layers: [
      { kind: 'embedding', vocabulary: 6, width: 3, initialiser: { normal: 1 } },
      { kind: 'lstm', units: 6, sequences: true },
      { kind: 'lstm', units: 4, sequences: true },
      scores
    ],
    data: text
  }
}
