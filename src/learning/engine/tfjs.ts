import type { Tensor, Variable } from '@tensorflow/tfjs'
import { present } from '../../core/assert.ts'
import { StarlingError } from '../../core/errors.ts'
import type { DataSchema, Samples, Scale } from '../data/dataset.ts'
import { sampleSize } from '../data/dataset.ts'
import type { Layout, TensorSlot } from '../layout.ts'
import { losses, type Loss } from '../loss.ts'
import type { TensorFlow } from '../model/tensorflow.ts'
import type { LossKind, OptimizerSpec, TrainState } from '../training.ts'
import { requireBatch, requireIndices, requireParameters } from './batch.ts'
import { chunksOf, evaluateByLogits, trainByGradient } from './by-gradient.ts'
import type { Activations, BatchPlan, Engine, Evaluation, StepsTaken } from './engine.ts'
import type { TfjsModel } from './tfjs-model.ts'

export interface TfjsEngineOptions {
  /** The engine's name for people, and tfjs' name of the backend. */
  readonly backend: string
  readonly tfjsBackend: string
  readonly reason: string
  readonly data: DataSchema
  readonly layout: Layout
  readonly loss: LossKind
}

interface BoundTensor {
  readonly slot: TensorSlot
  readonly variable: Variable
}

/** An engine over a model in tfjs' operations, on any backend whose kernels answer at once. */
export class TfjsEngine implements Engine {
  readonly backend: string
  readonly reason: string
  readonly layout: Layout
  readonly #tf: TensorFlow
  readonly #tfjsBackend: string
  readonly #data: DataSchema
  readonly #loss: Loss
  readonly #model: TfjsModel
  readonly #tensors: readonly BoundTensor[]
  readonly #trained: readonly BoundTensor[]
  readonly #statistics: readonly BoundTensor[]

  constructor(tf: TensorFlow, model: TfjsModel, options: TfjsEngineOptions) {
    this.backend = options.backend
    this.reason = options.reason
    this.layout = options.layout
    this.#tf = tf
    this.#tfjsBackend = options.tfjsBackend
    this.#data = options.data
    this.#loss = losses[options.loss]
    this.#model = model
    this.#tensors = this.layout.tensors.map((slot, index) => ({
      slot,
      variable: present(model.variables[index], `the variable of ${slot.name}`)
    }))
    const trained = new Set(model.trained)
    this.#trained = this.#tensors.filter(({ variable }) => trained.has(variable))
    this.#statistics = this.#tensors.filter(({ slot }) => slot.role === 'statistic')
  }

  gradient(parameters: Float32Array, batch: Samples, gradient: Float32Array, seed: number): number {
    const tf = this.#begin(parameters, batch)
    let loss = NaN
    tf.tidy(() => {
      this.#load(parameters)
      const features = this.#featuresOf(batch)
      const meanLoss = tf.customGrad<Tensor>((scores) => {
        const slope = new Float32Array((scores as Tensor).size)
        loss = this.#loss((scores as Tensor).dataSync<'float32'>(), batch.labels, slope)
        return {
          value: tf.scalar(loss),
          gradFunc: () => tf.tensor(slope, (scores as Tensor).shape)
        }
      })
      const { grads } = tf.variableGrads(
        () => meanLoss(this.#model.scores(features, true, seed)).asScalar(),
        this.#trained.map(({ variable }) => variable)
      )
      gradient.fill(0)
      for (const { slot, variable } of this.#trained) {
        const slope = grads[variable.name]
        if (slope) gradient.set(slope.dataSync<'float32'>(), slot.offset)
      }
      for (const { slot, variable } of this.#statistics) {
        parameters.set(variable.dataSync<'float32'>(), slot.offset)
      }
    })
    return loss
  }

  logits(parameters: Float32Array, samples: Samples): Float32Array {
    const tf = this.#begin(parameters, samples)
    const scores = tf.tidy(() => {
      this.#load(parameters)
      return this.#model.scores(this.#featuresOf(samples), false, 0)
    })
    const logits = scores.dataSync<'float32'>().slice()
    scores.dispose()
    return logits
  }

  train(
    state: TrainState,
    optimizer: OptimizerSpec,
    batches: BatchPlan,
    steps: number
  ): StepsTaken {
    return trainByGradient(this, state, optimizer, batches, steps)
  }

  evaluate(parameters: Float32Array, samples: Samples): Evaluation {
    return evaluateByLogits(this, this.#loss, parameters, samples)
  }

  activations(
    parameters: Float32Array,
    samples: Samples,
    layers: readonly string[]
  ): Map<string, Activations> {
    const tf = this.#begin(parameters, samples)
    const found = layers.map((name) => {
      const shape = this.#shapeOf(name)
      const size = shape.reduce((product, side) => product * side, 1)
      return { name, shape, size, values: new Float32Array(samples.count * size) }
    })
    if (found.length === 0) return new Map()
    let first = 0
    for (const part of chunksOf(samples)) {
      tf.tidy(() => {
        this.#load(parameters)
        const outputs = this.#model.activations(this.#featuresOf(part), layers)
        for (const [index, { values, size }] of found.entries()) {
          values.set(present(outputs[index], 'an output').dataSync<'float32'>(), first * size)
        }
      })
      first += part.count
    }
    return new Map(found.map(({ name, shape, values }) => [name, { shape, values }]))
  }

  dispose(): void {
    this.#model.dispose()
  }

  #shapeOf(name: string): readonly number[] {
    const shape = this.#model.layers.get(name)
    if (shape !== undefined) return shape
    const known = [...this.#model.layers.keys()].join(', ')
    throw new StarlingError('STARLING_BAD_MODEL', `the model has no layer '${name}', only ${known}`)
  }

  /** Other engines of this process may have left tfjs on another backend. */
  #begin(parameters: Float32Array, samples: Samples): TensorFlow {
    requireParameters(this.layout, parameters)
    const size = sampleSize(this.#data)
    requireBatch(samples, samples.count, size, this.#data.positions ?? 1)
    const { indexBound } = this.#model
    const rows = Array(samples.count).keys()
    if (indexBound !== undefined) requireIndices(samples.features, rows, size, indexBound)
    // A backend that has answered before is set at once: the promise is a formality.
    if (this.#tf.getBackend() !== this.#tfjsBackend) void this.#tf.setBackend(this.#tfjsBackend)
    return this.#tf
  }

  #featuresOf({ features, count }: Samples): Tensor {
    return this.#tf.tensor(scaled(features, this.#data.scale), [count, ...this.#data.shape])
  }

  #load(parameters: Float32Array): void {
    for (const { slot, variable } of this.#tensors) {
      const values = parameters.subarray(slot.offset, slot.offset + slot.size)
      variable.assign(this.#tf.tensor(values, slot.shape))
    }
  }
}

function scaled(features: Float32Array, scale: Scale | undefined): Float32Array {
  if (scale === undefined) return features
  const { mean, deviation } = scale
  const factor = 1 / deviation
  const count = features.length // read once: at every turn it doubles the time
  const output = new Float32Array(count)
  for (let i = 0; i < count; i++) output[i] = ((features[i] as number) - mean) * factor
  return output
}
