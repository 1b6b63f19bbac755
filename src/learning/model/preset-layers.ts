import type { DataSchema } from '../data/dataset.ts'
import type { LayerSpec } from '../layers/layers.ts'
import type { PresetSpec } from './presets.ts'

/** Models by name, as lists of layers. Every layer has a name of its own. */
export function presetLayers(spec: PresetSpec, data: DataSchema): LayerSpec[] | undefined {
  const output: LayerSpec = { kind: 'dense', name: 'output', units: data.classes }
  switch (spec.preset) {
    case 'logreg':
      return [...flattening(data), output]
    case 'mlp':
      return [
        ...flattening(data),
        ...spec.hidden.map((units, index): LayerSpec => ({
          ...{ kind: 'dense', name: `dense_${index + 1}`, units, activation: 'relu' }
        })),
        output
      ]
    case 'cnn':
      return undefined
  }
}

function flattening({ shape }: DataSchema): LayerSpec[] {
  return shape.length > 1 ? [{ kind: 'flatten', name: 'flatten' }] : []
}
