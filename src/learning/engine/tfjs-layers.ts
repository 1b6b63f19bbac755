import type { LayersModel, LayerVariable, SymbolicTensor, Tensor, Variable } from '@tensorflow/tfjs'
import { present } from '../../core/assert.ts'
import type { BuiltModel } from '../model/build.ts'
import { layersWithin } from '../model/layers.ts'
import type { TensorFlow } from '../model/tensorflow.ts'
import type { TfjsModel } from './tfjs-model.ts'

interface SeededLayer {
  seed: number
}

/** A model of tfjs' own layers. */
export class TfjsLayers implements TfjsModel {
  readonly variables: readonly Variable[]
  readonly trained: readonly Variable[]
  readonly layers: ReadonlyMap<string, readonly number[]>
  readonly #tf: TensorFlow
  readonly #model: LayersModel
  readonly #outputs: ReadonlyMap<string, SymbolicTensor>
  readonly #dropouts: readonly SeededLayer[]

  constructor(tf: TensorFlow, { model, variables }: BuiltModel) {
    this.#tf = tf
    this.#model = model
    this.variables = variables.map(tensorOf)
    this.trained = model.trainableWeights.map(tensorOf)
    this.#outputs = outputsOf(model)
    this.layers = new Map(
      [...this.#outputs].map(([name, { shape }]) => [name, shape.slice(1).map(Number)])
    )
    this.#dropouts = [...layersWithin(model)]
      .filter((layer) => layer.getClassName() === 'Dropout')
      .map((layer) => layer as unknown as SeededLayer)
  }

  scores(features: Tensor, isTraining: boolean, seed: number): Tensor {
    this.#seedDropout(seed)
    return this.#model.apply(features, { training: isTraining }) as Tensor
  }

  activations(features: Tensor, names: readonly string[]): Tensor[] {
    const outputs = names.map((name) => present(this.#outputs.get(name), `what ${name} gives`))
    // Shares the layers, and has no memory of its own.
    const part = this.#tf.model({ inputs: this.#model.inputs, outputs })
    return [part.apply(features, { training: false }) as Tensor | Tensor[]].flat()
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

/** What each layer gives where the model first applies it; of several outputs, the first. */
function outputsOf({ layers }: LayersModel): Map<string, SymbolicTensor> {
  const outputs = new Map<string, SymbolicTensor>()
  for (const layer of layers) {
    const [output] = [layer.getOutputAt(0)].flat()
    if (output !== undefined) outputs.set(layer.name, output)
  }
  return outputs
}
