import { present } from '../../../core/assert.ts'
import { StarlingError } from '../../../core/errors.ts'
import { evaluationFloatsMax, evaluationSamplesMax, passesMax } from '../../../core/limits.ts'
import type { DataSchema, Samples } from '../../data/dataset.ts'
import { sizeOf } from '../../layers/layer.ts'
import { createLayout, type Layout, type TensorSpec } from '../../layout.ts'
import type { Graph } from '../../model/graph.ts'
import { memoryLength } from '../../optimizer.ts'
import type { LossKind, OptimizerSpec, TrainState } from '../../training.ts'
import { notFinite, requireBatch, requireIndices, requireParameters } from '../batch.ts'
import type { Activations, BatchPlan, Engine, Evaluation, StepsTaken } from '../engine.ts'
import { Heap, addressOf } from './heap.ts'
import { createPass, type Pass } from './pass.ts'
import type { PlaceOptions } from './place.ts'
import { planOptimizer } from './plan-optimizer.ts'
import { plan, type PlanRequest } from './planner.ts'

export interface PlanEngineOptions extends PlaceOptions {
  readonly graph: Graph
  readonly data: DataSchema
  readonly tensors: readonly TensorSpec[]
  readonly loss: LossKind
  readonly fastMath: boolean
}

/**
 * Our own engine: a model is compiled, for each size of batch, into a fixed list of kernel calls over
 * one memory. Parameters, slopes and the optimizer's memory lie there as the layout says.
 */
export class PlanEngine implements Engine {
  readonly backend: string
  readonly reason: string
  readonly layout: Layout
  readonly #options: PlanEngineOptions
  readonly #heap: Heap
  /** By what they are for; those made first go first. */
  readonly #passes = new Map<string, Pass>()
  readonly #sampleSize: number
  /** Samples judged at a time. */
  readonly #chunk: number
  readonly #standardise: (address: number, count: number) => boolean

  constructor(options: PlanEngineOptions) {
    const { tensors, data, fastMath, graph } = options
    this.backend = 'plan'
    this.layout = createLayout(tensors)
    this.#options = options
    this.#heap = new Heap(this.layout.parameterCount, fastMath)
    const kind = this.#heap.isRelaxed ? 'relaxed SIMD' : 'SIMD'
    this.reason = `own kernels, WebAssembly with ${kind}`
    this.#sampleSize = sizeOf(graph.inputShape)
    const widest = Math.max(this.#sampleSize, ...graph.nodes.map(({ shape }) => sizeOf(shape)))
    const fitting = Math.floor(evaluationFloatsMax / widest)
    this.#chunk = Math.max(1, Math.min(evaluationSamplesMax, fitting))
    const { mean, deviation } = data.scale ?? { mean: 0, deviation: 1 }
    const standardise = this.#heap.kernel('standardise')
    this.#standardise = (address, count) =>
      standardise(address, count, mean, 1 / deviation, address) === 1
  }

  gradient(parameters: Float32Array, batch: Samples, gradient: Float32Array, seed: number): number {
    this.#load(parameters)
    const loss = this.#trainingLoss(batch, allRows(batch), seed)
    gradient.set(this.#view(this.#heap.slopes))
    for (const { role, offset, size } of this.layout.tensors) {
      if (role !== 'statistic') continue
      parameters.set(this.#view(this.#heap.parameters).subarray(offset, offset + size), offset)
    }
    return loss
  }

  train(
    state: TrainState,
    optimizer: OptimizerSpec,
    { samples, rowsAt, seedAt }: BatchPlan,
    steps: number
  ): StepsTaken {
    this.#load(state.parameters)
    const length = memoryLength(optimizer, this.layout.parameterCount, state.optimizer)
    const memoryAddress = addressOf(this.#heap.optimizer)
    const memory = this.#heap.view(memoryAddress, length)
    if (state.optimizer.length === 0) memory.fill(0)
    else memory.set(state.optimizer)
    const update = planOptimizer(optimizer, this.layout, this.#heap)
    const losses: number[] = []
    let seen = 0
    for (let step = state.steps; step < state.steps + steps; step++) {
      const rows = rowsAt(step)
      const loss = this.#trainingLoss(samples, rows, this.#options.graph.draws ? seedAt(step) : 0)
      losses.push(loss)
      seen += rows.length
      if (!Number.isFinite(loss)) break
      update(step + 1)
    }
    return {
      parameters: this.#view(this.#heap.parameters).slice(),
      optimizer: this.#heap.view(memoryAddress, length).slice(),
      losses,
      samples: seen
    }
  }

  logits(parameters: Float32Array, samples: Samples): Float32Array {
    const classes = present(this.#options.graph.outputShape.at(-1), 'the classes')
    const logits = new Float32Array(samples.labels.length * classes)
    this.#look(parameters, samples, [], ({ scores, rows }, first) => {
      logits.set(this.#heap.view(scores, rows * classes), (first / samples.count) * logits.length)
    })
    return logits
  }

  evaluate(parameters: Float32Array, samples: Samples): Evaluation {
    const classes = present(this.#options.graph.outputShape.at(-1), 'the classes')
    const hitsOf = this.#heap.kernel('hits')
    let lossSum = 0
    let hits = 0
    this.#look(parameters, samples, [], ({ scores, labels, rows }, _, loss) => {
      lossSum += loss * rows
      hits += hitsOf(scores, labels, rows, classes)
    })
    return { loss: lossSum / samples.labels.length, accuracy: hits / samples.labels.length }
  }

  activations(
    parameters: Float32Array,
    samples: Samples,
    layers: readonly string[]
  ): Map<string, Activations> {
    const found = new Map(
      layers.map((name) => {
        const { shape } = this.#nodeNamed(name)
        return [name, { shape, values: new Float32Array(samples.count * sizeOf(shape)) }]
      })
    )
    this.#look(parameters, samples, layers, ({ kept }, first, _, count) => {
      for (const [name, { shape, values }] of found) {
        const address = present(kept.get(name), `the place of ${name}`)
        values.set(this.#heap.view(address, count * sizeOf(shape)), first * sizeOf(shape))
      }
    })
    return found
  }

  dispose(): void {
    this.#passes.clear()
  }

  /** Where the regions of a training plan lie. */
  placementsFor(count: number): Pass['placements'] {
    return this.#passFor({ count, purpose: 'train' }).placements
  }

  /** All of the memory, for tests that look beyond what they should see. */
  get memory(): Float32Array {
    return this.#heap.floats
  }

  #trainingLoss(samples: Samples, rows: readonly number[], seed: number): number {
    this.#require(samples, rows.length)
    const pass = this.#passFor({ count: rows.length, purpose: 'train' })
    this.#loadBatch(pass, samples, rows)
    new Uint32Array(this.#heap.floats.buffer, addressOf(this.#heap.seed), 1)[0] = seed
    return pass.run()
  }

  /** Go over samples in inference mode, a chunk at a time. */
  #look(
    parameters: Float32Array,
    samples: Samples,
    keep: readonly string[],
    visit: (pass: Pass, first: number, loss: number, count: number) => void
  ): void {
    this.#load(parameters)
    this.#require(samples, samples.count)
    const rows = allRows(samples)
    for (let first = 0; first < samples.count; first += this.#chunk) {
      const chunk = rows.slice(first, first + this.#chunk)
      const pass = this.#passFor({ count: chunk.length, purpose: 'evaluate', keep })
      this.#loadBatch(pass, samples, chunk)
      visit(pass, first, pass.run(), chunk.length)
    }
  }

  #passFor(wanted: Pick<PlanRequest, 'count' | 'purpose' | 'keep'>): Pass {
    const key = `${wanted.purpose} ${wanted.count} ${wanted.keep?.join() ?? ''}`
    const known = this.#passes.get(key)
    if (known !== undefined) return known
    const { graph, loss } = this.#options
    const request = { ...wanted, graph, loss, layout: this.layout, fixed: this.#heap }
    const purpose = purposeOf(graph, wanted)
    const pass = createPass(plan(request), this.#heap, purpose, this.#options)
    const [oldest] = this.#passes.keys()
    if (this.#passes.size >= passesMax && oldest !== undefined) this.#passes.delete(oldest)
    this.#passes.set(key, pass)
    return pass
  }

  #load(parameters: Float32Array): void {
    requireParameters(this.layout, parameters)
    this.#view(this.#heap.parameters).set(parameters)
  }

  #require(samples: Samples, count: number): void {
    requireBatch(samples, count, this.#sampleSize, this.#options.data.positions ?? 1)
  }

  #loadBatch({ input, labels, rows }: Pass, samples: Samples, chosen: readonly number[]): void {
    const { classes } = this.#options.data
    const size = this.#sampleSize
    const { indexBound } = this.#options.graph
    if (indexBound !== undefined) requireIndices(samples.features, chosen, size, indexBound)
    const { floats } = this.#heap
    const perSample = rows / chosen.length
    const targets = this.#heap.shorts(labels, rows)
    let place = input / 4
    let target = 0
    for (const row of chosen) {
      floats.set(samples.features.subarray(row * size, (row + 1) * size), place)
      place += size
      for (let i = row * perSample; i < (row + 1) * perSample; i++) {
        const label = samples.labels[i] as number
        if (label >= classes) throw badLabel(row, label, classes)
        targets[target++] = label
      }
    }
    if (!this.#standardise(input, chosen.length * size)) throw notFinite(samples, chosen, size)
  }

  #nodeNamed(name: string): Graph['nodes'][number] {
    const { nodes } = this.#options.graph
    const node = nodes.find((node) => node.name === name)
    if (node !== undefined) return node
    const known = nodes.map((node) => node.name).join(', ')
    throw new StarlingError('STARLING_BAD_MODEL', `the model has no layer '${name}', only ${known}`)
  }

  #view(region: Heap['parameters']): Float32Array {
    return this.#heap.view(addressOf(region), this.layout.parameterCount)
  }
}

function allRows({ count }: Samples): number[] {
  return Array.from({ length: count }, (_, row) => row)
}

/** What memory is for, and the layer that wants most of it. */
function purposeOf({ nodes }: Graph, { purpose, count }: Pick<PlanRequest, 'purpose' | 'count'>) {
  const largest = nodes.reduce((a, b) => (sizeOf(b.shape) > sizeOf(a.shape) ? b : a))
  const mebibytes = (sizeOf(largest.shape) * 4) / 2 ** 20
  return (
    `to ${purpose} with ${count} samples at once (the layer '${largest.name}' gives ` +
    `${mebibytes.toFixed(1)} MiB for each)`
  )
}

function badLabel(row: number, label: number, classes: number): StarlingError {
  return new StarlingError(
    'STARLING_BAD_DATA',
    `sample ${row} has the label ${label}, but there are ${classes} classes, counted from 0`
  )
}
