import type { LayersModel, LayerVariable, Tensor, Variable } from '@tensorflow/tfjs'
import type { BuiltModel } from '../model/build.ts'
import { layersWithin } from '../model/layers.ts'
import type { TfjsModel } from './tfjs-model.ts'

interface SeededLayer {
  seed: number
}

/** A model of tfjs' own layers. */
export class TfjsLayers implements TfjsModel {
  readonly variables: readonly Variable[]
  readonly trained: readonly Variable[]
  readonly #model: LayersModel
  readonly #dropouts: readonly SeededLayer[]

  constructor({ model, variables }: BuiltModel) {
    this.#model = model
    this.variables = variables.map(tensorOf)
    this.trained = model.trainableWeights.map(tensorOf)
    this.#dropouts = [...layersWithin(model)]
      .filter((layer) => layer.getClassName() === 'Dropout')
      .map((layer) => layer as unknown as SeededLayer)
  }

  scores(features: Tensor, isTraining: boolean, seed: number): Tensor {
    this.#seedDropout(seed)
    return this.#model.apply(features, { training: isTraining }) as Tensor
  }

  dispose(): void {
    this.#model.dispose()
  }

  /** One seed for each layer and call: layers that share one would drop the same places. */
  #seedDropout(seed: number): void {
    for (const [index, layer] of this.#dropouts.entries()) {
      layer.seed = seed * this.#dropouts.length + index
    }
  }
}

function tensorOf(variable: LayerVariable): Variable {
  return variable.read() as Variable
}
