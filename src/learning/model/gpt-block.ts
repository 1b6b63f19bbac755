import type { z } from 'zod'
import type { gptBlockSchema } from '../layers/gpt-block.ts'
import type { PlainLayerSpec } from '../layers/layers.ts'

/** Where a block stands. */
export interface BlockPlace {
  readonly name: string
  /** The layer that it looks at, and the width of what that gives. */
  readonly from: string
  readonly width: number
  /** Blocks of its kind in the model. */
  readonly blocks: number
}

/**
 * The plain layers of a transformer block with its normalisations first, and first weights as GPT-2 has
 * them: normal, and smaller where many blocks add to one sum. The last has the block's name, so that
 * others can look at it. Radford et al., "Language Models are Unsupervised Multitask Learners", 2019,
 * section 2.3.
 */
export function gptBlockLayers(
  { heads, expansion = 4, dropout = 0 }: z.infer<typeof gptBlockSchema>,
  { name, from, width, blocks }: BlockPlace
): PlainLayerSpec[] {
  const initialiser = { normal: 0.02 }
  const smaller = { normal: 0.02 / Math.sqrt(2 * blocks) }
  const within = (part: string): string => `${name}/${part}`
  const dropped = (part: string): PlainLayerSpec[] =>
    dropout > 0 ? [{ kind: 'dropout', name: within(part), rate: dropout }] : []
  const sum = within('attention_sum')
  const attended = within(dropout > 0 ? 'attention_dropout' : 'attention')
  const narrowed = within(dropout > 0 ? 'dense_dropout' : 'narrow')
  return [
    { kind: 'layerNorm', name: within('attention_norm'), from },
    {
      kind: 'causalSelfAttention',
      name: within('attention'),
      ...{ heads, initialiser, outputInitialiser: smaller }
    },
    ...dropped('attention_dropout'),
    { kind: 'add', name: sum, from: [from, attended] },
    { kind: 'layerNorm', name: within('dense_norm') },
    {
      kind: 'dense',
      name: within('widen'),
      ...{ units: expansion * width, activation: 'gelu', initialiser }
    },
    { kind: 'dense', name: within('narrow'), units: width, initialiser: smaller },
    ...dropped('dense_dropout'),
    { kind: 'add', name, from: [sum, narrowed] }
  ]
}
