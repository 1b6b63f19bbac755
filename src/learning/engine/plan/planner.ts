import { assert, present } from '../../../core/assert.ts'
import { sizeOf, type LayerPlanner, type PlannedLayer } from '../../layers/layer.ts'
import type { Layout, TensorSlot } from '../../layout.ts'
import type { Graph, GraphNode } from '../../model/graph.ts'
import type { LossKind } from '../../training.ts'
import { from, region, type Region } from './region.ts'

export type Argument = number | Region

/** One entry of a plan: a kernel and what it is called with. */
export interface Call {
  readonly kernel: string
  readonly args: readonly Argument[]
}

/** Regions that are there before and after any plan. */
export interface Fixed {
  readonly parameters: Region
  readonly slopes: Region
  readonly seed: Region
}

export interface PlanRequest {
  readonly graph: Graph
  readonly layout: Layout
  readonly fixed: Fixed
  /** Samples in a batch. */
  readonly count: number
  readonly loss: LossKind
  /** What the plan is for: the slopes of all parameters, or only the loss and the scores. */
  readonly purpose: 'train' | 'evaluate'
  /** Layers whose outputs are wanted, by name. */
  readonly keep?: readonly string[]
}

/** What one pass over a batch does, in order; addresses are still to be given. */
export interface Plan {
  readonly calls: readonly Call[]
  /** Which of the calls gives the loss. */
  readonly lossCall: number
  /** float32, shape [count, ...shape]: the features, standardised. */
  readonly input: Region
  /** Unsigned 16-bit, shape [rows]. */
  readonly labels: Region
  /** Shape [rows, classes]. */
  readonly scores: Region
  /** Labels in a batch: one for each sample, or one for each position of each. */
  readonly rows: number
  readonly kept: ReadonlyMap<string, Region>
}

const lossKernels: Record<LossKind, string> = {
  'softmax-cross-entropy': 'softmaxCrossEntropy',
  'sigmoid-cross-entropy': 'sigmoidCrossEntropy',
  'mean-squared-error': 'meanSquaredError'
}

/** Compile a model into the list of kernel calls of one pass over a batch. */
export function plan(request: PlanRequest): Plan {
  return new Planner(request).plan()
}

class Planner {
  readonly #request: PlanRequest
  readonly #calls: Call[] = []
  readonly #slots: ReadonlyMap<string, TensorSlot>
  /** Tensors whose slope some call writes. */
  readonly #sloped = new Set<string>()

  constructor(request: PlanRequest) {
    this.#request = request
    this.#slots = new Map(request.layout.tensors.map((slot) => [slot.name, slot]))
  }

  plan(): Plan {
    const { graph, count, loss, purpose, keep = [] } = this.#request
    const isTraining = purpose === 'train'
    const input = region(4 * count * sizeOf(graph.inputShape))
    const classes = present(graph.outputShape.at(-1), 'the classes')
    const rows = (count * sizeOf(graph.outputShape)) / classes
    const labels = region(2 * rows)
    // Named first: both are filled before the first kernel runs.
    this.#call('begin', input, labels)

    const layers: PlannedLayer[] = []
    const outputOf = (index: number): Region =>
      index === -1 ? input : present(layers[index], 'a layer before this one').output
    for (const [index, node] of graph.nodes.entries()) {
      layers.push(node.kind.plan(node.spec, this.#plannerOf(node, index, outputOf)))
    }

    const scores = outputOf(graph.nodes.length - 1)
    const slope = isTraining ? this.#floats(rows * classes) : 0
    const lossCall = this.#calls.length
    this.#call(lossKernels[loss], scores, labels, rows, classes, slope)
    if (typeof slope !== 'number') this.#goBack(graph, layers, slope)

    const kept = new Map(
      keep.map((name) => [name, outputOf(graph.nodes.findIndex((node) => node.name === name))])
    )
    // Named once more at the end, so that nothing else takes their place before they are read.
    this.#call('end', input, labels, scores, ...kept.values())
    return { calls: this.#calls, lossCall, input, labels, scores, rows, kept }
  }

  #goBack(graph: Graph, layers: readonly PlannedLayer[], slope: Region): void {
    const needs = needsOf(graph)
    const slopes = new Map<number, Region[]>([[graph.nodes.length - 1, [slope]]])
    for (const [index, node] of [...graph.nodes.entries()].reverse()) {
      const own = this.#sumOf(slopes.get(index) ?? [], this.#request.count * sizeOf(node.shape))
      if (own === undefined || needs[index] !== true) continue
      const wanted = node.inputs.map((from) => from !== -1 && needs[from] === true)
      const given = layers[index]?.back?.(own, wanted) ?? []
      for (const [place, from] of node.inputs.entries()) {
        if (wanted[place] !== true) continue
        const slopeOfInput = present(given[place], `the slope that ${node.name} gives back`)
        slopes.set(from, [...(slopes.get(from) ?? []), slopeOfInput])
      }
    }
    for (const { name, offset, size } of this.#request.layout.tensors) {
      if (!this.#sloped.has(name)) this.#call('fill', this.#slopeAt(offset), size, 0)
    }
  }

  /** A layer that several look at gets the sum of what they give back. */
  #sumOf(slopes: readonly Region[], size: number): Region | undefined {
    return slopes.reduce<Region | undefined>((sum, slope) => {
      if (sum === undefined) return slope
      const next = this.#floats(size)
      this.#call('add', sum, slope, size, next)
      return next
    }, undefined)
  }

  #plannerOf(node: GraphNode, index: number, outputOf: (index: number) => Region): LayerPlanner {
    const { graph, count, purpose, fixed } = this.#request
    const slotOf = (name: string): TensorSlot =>
      present(this.#slots.get(`${node.name}/${name}`), `the tensor ${node.name}/${name}`)
    return {
      count,
      isTraining: purpose === 'train',
      inputs: node.inputs.map(outputOf),
      inputShapes: node.inputs.map((from) => shapeOf(graph, from)),
      shape: node.shape,
      floats: (size) => this.#floats(size),
      workspace: (bytes) => region(bytes),
      call: (kernel, ...args) => this.#call(kernel, ...args),
      weight: (name) => from(fixed.parameters, slotOf(name).offset),
      weightSlope: (name) => {
        const slot = slotOf(name)
        this.#sloped.add(slot.name)
        return this.#slopeAt(slot.offset)
      },
      seed: fixed.seed,
      layerNumber: index
    }
  }

  #floats(count: number): Region {
    assert(Number.isSafeInteger(count) && count > 0, 'a region has a whole number of float32')
    return region(4 * count)
  }

  #slopeAt(offset: number): Region {
    return from(this.#request.fixed.slopes, offset)
  }

  #call(kernel: string, ...args: readonly Argument[]): void {
    this.#calls.push({ kernel, args })
  }
}

/** Whether a layer, or any before it that leads to it, has something to learn. */
function needsOf({ nodes }: Graph): boolean[] {
  const needs: boolean[] = []
  for (const { tensors, inputs } of nodes) {
    const learns = tensors.some(({ role }) => role !== 'statistic')
    needs.push(learns || inputs.some((from) => from !== -1 && needs[from] === true))
  }
  return needs
}

function shapeOf({ nodes, inputShape }: Graph, index: number): readonly number[] {
  return index === -1 ? inputShape : present(nodes[index], 'a layer before this one').shape
}
