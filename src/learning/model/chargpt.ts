import { StarlingError } from '../../core/errors.ts'
import type { DataSchema } from '../data/dataset.ts'
import type { LayerSpec } from '../layers/layers.ts'
import type { PresetSpec } from './spec.ts'

/**
 * A small GPT over characters, scored at every position. Radford et al., "Language Models are
 * Unsupervised Multitask Learners", 2019; but what gives the scores has weights of its own.
 *
 * @throws STARLING_BAD_MODEL when the data is not text
 */
export function charGptLayers(
  { layers, width, heads, dropout }: Extract<PresetSpec, { preset: 'chargpt' }>,
  { shape, classes, positions }: DataSchema
): LayerSpec[] {
  if (shape.length !== 1 || positions !== shape[0]) {
    throw new StarlingError(
      'STARLING_BAD_MODEL',
      `a 'chargpt' needs text, samples [positions] with a label at each, and the data is ` +
        `[${shape.join(', ')}] with ${positions ?? 1} labels: use data such as text:FILE`
    )
  }
  return [
    { kind: 'embedding', name: 'embedding', vocabulary: classes, width },
    { kind: 'positionalEmbedding', name: 'positions' },
    ...(dropout > 0 ? [{ kind: 'dropout', name: 'dropout', rate: dropout } as const] : []),
    ...Array.from({ length: layers }, (_, index): LayerSpec => ({
      ...{ kind: 'gptBlock', name: `block_${index + 1}`, heads, dropout }
    })),
    { kind: 'layerNorm', name: 'norm' },
    { kind: 'dense', name: 'output', units: classes, initialiser: { normal: 0.02 } }
  ]
}
