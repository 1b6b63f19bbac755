import type { Tensor, Variable } from '@tensorflow/tfjs'
import { present } from '../../core/assert.ts'
import type { Graph, GraphNode } from '../model/graph.ts'
import type { TensorFlow } from '../model/tensorflow.ts'
import type { TfjsModel } from './tfjs-model.ts'

/** How one pass over a graph behaves. */
interface PassSettings {
  readonly isTraining: boolean
  readonly seed: number
}

/** A graph of our own layers, run by the TensorFlow.js twin of each kind. */
export class TfjsGraph implements TfjsModel {
  readonly variables: readonly Variable[]
  readonly trained: readonly Variable[]
  readonly layers: ReadonlyMap<string, readonly number[]>
  readonly indexBound: number | undefined
  readonly #tf: TensorFlow
  readonly #graph: Graph
  readonly #variables: ReadonlyMap<string, Variable>

  constructor(tf: TensorFlow, graph: Graph) {
    this.#tf = tf
    this.#graph = graph
    this.#variables = new Map(
      graph.tensors.map(({ name, shape, role }) => {
        const zeros = tf.zeros([...shape])
        const variable = tf.variable(zeros, role !== 'statistic')
        zeros.dispose()
        return [name, variable]
      })
    )
    this.variables = [...this.#variables.values()]
    this.indexBound = graph.indexBound
    this.layers = new Map(graph.nodes.map(({ name, shape }) => [name, shape]))
    this.trained = this.variables.filter(({ trainable }) => trainable)
  }

  scores(features: Tensor, isTraining: boolean, seed: number): Tensor {
    const outputs = this.#outputs(features, { isTraining, seed })
    return present(outputs.at(-1), 'the output of the last layer')
  }

  activations(features: Tensor, names: readonly string[]): Tensor[] {
    const outputs = this.#outputs(features, { isTraining: false, seed: 0 })
    return names.map((name) => {
      const place = this.#graph.nodes.findIndex((node) => node.name === name)
      return present(outputs[place], `what ${name} gives`)
    })
  }

  dispose(): void {
    for (const variable of this.variables) variable.dispose()
  }

  /** What every layer gives, in their order. */
  #outputs(features: Tensor, settings: PassSettings): Tensor[] {
    const outputs: Tensor[] = []
    const statistics = new Map<Variable, Float32Array>()
    for (const [index, node] of this.#graph.nodes.entries()) {
      const inputs = node.inputs.map((from) => outputs[from] ?? features)
      outputs.push(this.#run(node, index, inputs, settings, statistics))
    }
    for (const [variable, values] of statistics) {
      variable.assign(this.#tf.tensor(values, variable.shape))
    }
    return outputs
  }

  #run(
    { name, kind, spec, shape }: GraphNode,
    layerNumber: number,
    inputs: readonly Tensor[],
    { isTraining, seed }: PassSettings,
    statistics: Map<Variable, Float32Array>
  ): Tensor {
    const weight = (tensor: string): Variable =>
      present(this.#variables.get(`${name}/${tensor}`), `the tensor ${name}/${tensor}`)
    const count = present(inputs[0]?.shape[0], 'the count of samples')
    return kind.tfjs(spec, {
      tf: this.#tf,
      inputs,
      batchShape: [count, ...shape],
      isTraining,
      weight,
      setStatistic: (tensor, value) => {
        statistics.set(weight(tensor), value.dataSync<'float32'>().slice())
      },
      seed,
      layerNumber
    })
  }
}
