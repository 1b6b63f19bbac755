import type { ModelSpec, presetNames } from '../learning/model/spec.ts'
import { optimizerSchema, type OptimizerSpec } from '../learning/training.ts'

/** What differs from the defaults of their schema. */
type Numbers = Readonly<Record<string, number | string>>

/** Each kind of optimizer as it is customary, where a user names the kind and nothing else. */
const customary: Readonly<Record<OptimizerSpec['kind'], Numbers>> = {
  sgd: { learningRate: 0.05, momentum: 0.9 },
  // Kingma and Ba, ICLR 2015, algorithm 1.
  adam: { learningRate: 0.001 },
  // Loshchilov and Hutter, ICLR 2019; numbers as in PyTorch.
  adamw: { learningRate: 0.001, weightDecay: 0.01 },
  // Chen et al., NeurIPS 2023: a tenth of adamw's rate, ten times its decay.
  lion: { learningRate: 0.0001, weightDecay: 0.1 }
}

type PresetName = (typeof presetNames)[number]

/** Presets for which their field takes something else than `sgd` as above. */
const ofPresets: Partial<Record<PresetName, Numbers & { kind: OptimizerSpec['kind'] }>> = {
  // He et al., CVPR 2016, section 4.2: momentum and this decay; their rate of 0.1 is for batches of 128.
  resnet8: { kind: 'sgd', learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 },
  resnet20: { kind: 'sgd', learningRate: 0.05, momentum: 0.9, weightDecay: 1e-4 },
  // Gorishniy et al., NeurIPS 2021, train every network for tables with adamw and little decay.
  tabular: { kind: 'adamw', learningRate: 0.001, weightDecay: 1e-5 },
  // nanoGPT's train_shakespeare_char: transformers hardly learn by sgd, and their gradients jump.
  chargpt: { kind: 'adamw', learningRate: 0.001, beta2: 0.99, weightDecay: 0.1, clipNorm: 1 }
}

export const optimizerKinds = Object.keys(customary)

/** What a user says about the optimizer. */
export interface OptimizerOptions {
  readonly optimizer?: OptimizerSpec['kind']
  readonly learningRate?: number
}

/** The optimizer that was asked for; of what was not said, what is usual for such a model. */
export function optimizerFor(
  model: ModelSpec,
  { optimizer, learningRate }: OptimizerOptions = {}
): OptimizerSpec {
  const usual = 'preset' in model ? ofPresets[model.preset] : undefined
  const kind = optimizer ?? usual?.kind ?? 'sgd'
  const numbers = usual?.kind === kind ? usual : { kind, ...customary[kind] }
  return optimizerSchema.parse({
    ...numbers,
    ...(learningRate === undefined ? {} : { learningRate })
  })
}
