import { StarlingError } from '../../core/errors.ts'
import { activationsMax } from '../../core/limits.ts'
import type { DataSchema } from '../data/dataset.ts'
import { LayerError, sizeOf, type LayerBase, type LayerKind, type Shape } from '../layers/layer.ts'
import { kindOf, type LayerSpec } from '../layers/layers.ts'
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

const drawingKinds: ReadonlySet<string> = new Set(['dropout'])

/** The name by which layers call the model's input. */
export const inputName = 'input'

/**
 * Check a list of layers against the data, and connect them.
 * @throws STARLING_BAD_MODEL naming the layer by its path, and what to change
 */
export function createGraph(layers: readonly LayerSpec[], data: DataSchema): Graph {
  const nodes: GraphNode[] = []
  const places = new Map([[inputName, -1]])
  const counts = new Map<string, number>()
  for (const [index, spec] of layers.entries()) {
    const number = (counts.get(spec.kind) ?? 0) + 1
    counts.set(spec.kind, number)
    const name = spec.name ?? `${spec.kind}_${number}`
    const refuse = (why: string): never => {
      throw new StarlingError('STARLING_BAD_MODEL', `the layer ${index} '${name}' ${why}`)
    }
    if (places.has(name)) refuse('has the name of another layer: give it a name of its own')
    const inputs = sourcesOf(spec).map(
      (source) => places.get(source) ?? unknown(source, places, refuse)
    )
    if (inputs.length === 0) inputs.push(index - 1)
    const kind = kindOf(spec)
    if (inputs.length > 1 && kind.inputs !== 'many') refuse('looks at one layer, not at several')
    nodes.push(nodeOf(name, kind, spec, inputs, nodes, data.shape, refuse))
    places.set(name, index)
  }
  const last = nodes.at(-1)
  if (last === undefined) throw new StarlingError('STARLING_BAD_MODEL', 'the model has no layers')
  requireScores(last, data)
  const tensors = nodes.flatMap((node) => node.tensors)
  createLayout(tensors) // checks the sum of their sizes
  const draws = layers.some(({ kind }) => drawingKinds.has(kind))
  return { inputShape: data.shape, outputShape: last.shape, nodes, tensors, draws }
}

function sourcesOf({ from = [] }: LayerSpec): readonly string[] {
  return typeof from === 'string' ? [from] : from
}

function unknown(
  source: string,
  places: ReadonlyMap<string, number>,
  refuse: (why: string) => never
): never {
  const known = [...places.keys()].join(', ')
  refuse(`looks at '${source}', but the layers before it are: ${known}`)
}

function nodeOf(
  name: string,
  kind: LayerKind,
  spec: LayerSpec,
  inputs: readonly number[],
  nodes: readonly GraphNode[],
  inputShape: Shape,
  refuse: (why: string) => never
): GraphNode {
  const shapes = inputs.map((from) => nodes[from]?.shape ?? inputShape)
  try {
    const shape = kind.shape(spec, shapes)
    const size = sizeOf(shape)
    if (!(size <= activationsMax)) {
      const mebibytes = Math.ceil((size * 4) / 2 ** 20)
      refuse(`gives ${size} numbers a sample (${mebibytes} MiB), more than ${activationsMax}`)
    }
    const tensors = (kind.tensors?.(spec, shapes) ?? []).map((tensor) => ({
      ...tensor,
      name: `${name}/${tensor.name}`
    }))
    return { name, kind, spec, inputs, shape, tensors }
  } catch (error) {
    if (error instanceof LayerError) return refuse(error.message)
    throw error
  }
}

function requireScores({ name, shape }: GraphNode, { classes, positions }: DataSchema): void {
  const wanted = positions === undefined ? [classes] : [positions, classes]
  if (shape.join() === wanted.join()) return
  throw new StarlingError(
    'STARLING_BAD_MODEL',
    `the last layer '${name}' gives [${shape.join(', ')}], the data needs scores of shape ` +
      `[${wanted.join(', ')}], one for each class`
  )
}
