import { StarlingError } from '../../core/errors.ts'
import { activationsMax } from '../../core/limits.ts'
import { nearestWord } from '../../core/nearest.ts'
import type { DataSchema } from '../data/dataset.ts'
import { gptBlockLayers } from './gpt-block.ts'
import { LayerError, sizeOf, type LayerBase, type LayerKind, type Shape } from '../layers/layer.ts'
import { kindOf, type LayerSpec, type PlainLayerSpec } from '../layers/layers.ts'
import { createLayout, type TensorSpec } from '../layout.ts'

/** A model of our own layers, checked: every layer knows whom it looks at and what it gives. */
export interface Graph {
  readonly inputShape: Shape
  readonly outputShape: Shape
  /** In an order in which every layer comes after those that it looks at; the last is the output. */
  readonly nodes: readonly GraphNode[]
  /** Layer by layer; the same for the same spec in every process. */
  readonly tensors: readonly TensorSpec[]
  /** Whether a layer draws numbers. */
  readonly draws: boolean
  /** Where the model's input is indices: the number that all of them must be below. */
  readonly indexBound?: number | undefined
}

export interface GraphNode {
  readonly name: string
  readonly kind: LayerKind
  readonly spec: LayerBase
  /** Indices of layers; −1 is the model's input. */
  readonly inputs: readonly number[]
  readonly shape: Shape
  /** With the layer's name before each. */
  readonly tensors: readonly TensorSpec[]
}

/** The name by which layers call the model's input. */
export const inputName = 'input'

/**
 * Check a list of layers against the data, and connect them. Layers made of others are taken apart.
 * @throws STARLING_BAD_MODEL naming the layer by its path, and what to change
 */
export function createGraph(layers: readonly LayerSpec[], data: DataSchema): Graph {
  const builder = new GraphBuilder(layers, data.shape)
  for (const [index, spec] of layers.entries()) builder.add(spec, index)
  const { nodes } = builder
  const last = nodes.at(-1)
  if (last === undefined) throw new StarlingError('STARLING_BAD_MODEL', 'the model has no layers')
  requireScores(last, data)
  const tensors = nodes.flatMap((node) => node.tensors)
  createLayout(tensors) // checks the sum of their sizes
  const draws = nodes.some(({ kind }) => kind.draws === true)
  const indexBound = indexBoundOf(nodes, data)
  return { inputShape: data.shape, outputShape: last.shape, nodes, tensors, draws, indexBound }
}

/** Names in a message: enough to see how they look. */
const placesListedMax = 20

/** Ends the building with an error that names the layer. */
type Refuse = (why: string) => never

class GraphBuilder {
  readonly nodes: GraphNode[] = []
  readonly #inputShape: Shape
  /** Blocks in the model. */
  readonly #blocks: number
  readonly #places = new Map([[inputName, -1]])
  readonly #counts = new Map<string, number>()

  constructor(layers: readonly LayerSpec[], inputShape: Shape) {
    this.#inputShape = inputShape
    this.#blocks = layers.filter(({ kind }) => kind === 'gptBlock').length
  }

  /** @param index - in the list that the user wrote */
  add(spec: LayerSpec, index: number): void {
    const number = (this.#counts.get(spec.kind) ?? 0) + 1
    this.#counts.set(spec.kind, number)
    const name = spec.name ?? `${spec.kind}_${number}`
    if (spec.kind !== 'gptBlock') {
      this.#connect(spec, name, index)
      return
    }
    const [input = -1] = this.#inputsOf(spec, false, refusal(name, index))
    const parts = gptBlockLayers(spec, {
      name,
      from: this.nodes[input]?.name ?? inputName,
      width: this.#shapeOf(input).at(-1) ?? 1,
      blocks: this.#blocks
    })
    for (const part of parts) this.#connect(part, part.name ?? name, index)
  }

  #connect(spec: PlainLayerSpec, name: string, index: number): void {
    const refuse = refusal(name, index)
    if (this.#places.has(name)) refuse('has the name of another layer: give it a name of its own')
    const kind = kindOf(spec)
    const inputs = this.#inputsOf(spec, kind.inputs === 'many', refuse)
    const shapes = inputs.map((input) => this.#shapeOf(input))
    this.#places.set(name, this.nodes.length)
    this.nodes.push({ name, kind, spec, inputs, ...fitted(name, kind, spec, shapes, refuse) })
  }

  #inputsOf({ from = [] }: LayerSpec, takesMany: boolean, refuse: Refuse): number[] {
    const sources = typeof from === 'string' ? [from] : from
    if (sources.length === 0) return [this.nodes.length - 1]
    if (sources.length > 1 && !takesMany) refuse('looks at one layer, not at several')
    return sources.map((source) => {
      return this.#places.get(source) ?? refuse(this.#strangerOf(source))
    })
  }

  #strangerOf(source: string): string {
    const known = [...this.#places.keys()]
    const listed = [
      ...(known.length > placesListedMax ? ['…'] : []),
      ...known.slice(-placesListedMax)
    ]
    return (
      `looks at '${source}', but the layers before it are: ${listed.join(', ')}; ` +
      `did you mean '${nearestWord(source, known)}'?`
    )
  }

  #shapeOf(index: number): Shape {
    return this.nodes[index]?.shape ?? this.#inputShape
  }
}

function refusal(name: string, index: number): Refuse {
  return (why) => {
    throw new StarlingError('STARLING_BAD_MODEL', `the layer ${index} '${name}' ${why}`)
  }
}

function fitted(
  name: string,
  kind: LayerKind,
  spec: PlainLayerSpec,
  shapes: readonly Shape[],
  refuse: Refuse
): Pick<GraphNode, 'shape' | 'tensors'> {
  try {
    const shape = kind.shape(spec, shapes)
    const size = sizeOf(shape)
    if (!(size <= activationsMax)) {
      const mebibytes = Math.ceil((size * 4) / 2 ** 20)
      refuse(
        `gives ${size} numbers a sample (${mebibytes} MiB), more than ${activationsMax}: make it ` +
          'smaller, or what it looks at'
      )
    }
    const tensors = (kind.tensors?.(spec, shapes) ?? []).map((tensor) => ({
      ...tensor,
      name: `${name}/${tensor.name}`
    }))
    return { shape, tensors }
  } catch (error) {
    if (error instanceof LayerError) return refuse(error.message)
    throw error
  }
}

/** The smallest vocabulary of the layers that look up the model's input. */
function indexBoundOf(nodes: readonly GraphNode[], { scale }: DataSchema): number | undefined {
  const readers = nodes.filter(({ kind, inputs }) => kind.indexBound && inputs.includes(-1))
  const [first] = readers
  if (first === undefined) return undefined
  if (scale !== undefined) {
    throw new StarlingError(
      'STARLING_BAD_MODEL',
      `the layer '${first.name}' takes indices, but the data has a scale that changes its ` +
        'features: take data without one, such as text'
    )
  }
  return Math.min(...readers.map(({ kind, spec }) => kind.indexBound?.(spec) ?? Infinity))
}

function requireScores({ name, shape }: GraphNode, { classes, positions }: DataSchema): void {
  const wanted = positions === undefined ? [classes] : [positions, classes]
  if (shape.join() === wanted.join()) return
  throw new StarlingError(
    'STARLING_BAD_MODEL',
    `the last layer '${name}' gives [${shape.join(', ')}], the data needs scores of shape ` +
      `[${wanted.join(', ')}], one for each class: end with a dense layer of ${classes} units` +
      (positions === undefined ? '' : ' over all positions')
  )
}
