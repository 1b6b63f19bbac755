import type { DataSchema } from '../../../../src/learning/data/dataset.ts'
import { presetLayers } from '../../../../src/learning/model/presets.ts'
import { presetSchema } from '../../../../src/learning/model/spec.ts'
import type { LayerCase } from '../layer-cases.ts'

/** Sides that halving does not divide. */
const image: DataSchema = { shape: [13, 9, 2], classes: 3 }

function preset(spec: object): LayerCase {
  return { layers: presetLayers(presetSchema.parse(spec), image), data: image, count: 3 }
}

export const presetCases: Record<string, LayerCase> = {
  'the preset logreg': preset({ preset: 'logreg' }),
  'the preset mlp': preset({ preset: 'mlp', hidden: [17, 9] }),
  'the preset cnn': preset({ preset: 'cnn', filters: [3, 5], hidden: 7 }),
  'the preset tabular': preset({ preset: 'tabular', hidden: [9, 6] }),
  'the preset resnet8': preset({ preset: 'resnet8' })
}
