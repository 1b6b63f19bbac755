import * as tf from '@tensorflow/tfjs'
import { present } from '../../src/core/assert.ts'
import { Random } from '../../src/core/random.ts'
import type { Samples } from '../../src/learning/data/dataset.ts'
import type { Engine } from '../../src/learning/engine/engine.ts'
import { createEngine } from '../../src/learning/engine/select.ts'
import { kernelNamed } from '../../src/learning/engine/wasm-kernels.ts'
import { initialise } from '../../src/learning/layout.ts'
import type { ModelSpec } from '../../src/learning/model/spec.ts'
import { optimize, optimizerMemory } from '../../src/learning/optimizer.ts'
import { median } from './median.ts'

/**
 * What one training step costs on wasm: gradient and optimizer, as training does them.
 * Processor time, in rounds that take turns, so that a busy machine is unfair to none; medians count.
 * Beside it the same with tfjs' own matrix product, for what ours brings.
 */
const data = { shape: [28, 28, 1], classes: 10 }
const batchSize = 64
const rounds = 7
const stepsPerRound = 20

const models: Record<string, ModelSpec> = {
  logreg: { preset: 'logreg' },
  mlp: { preset: 'mlp', hidden: [64] },
  'mlp-deep': { preset: 'mlp', hidden: [64, 64, 64, 64] },
  'mlp-wide': { preset: 'mlp', hidden: [512, 256] },
  cnn: { preset: 'cnn', filters: [16, 32], hidden: 64 }
}

interface StepCost {
  /** Of processor time, for a batch of 64 images of 28 × 28. */
  readonly stepMs: number
  /** Below 1 when ours is the faster. */
  readonly ratioToStockWasm: number
}

export async function benchEngine(): Promise<Record<string, StepCost>> {
  await import('@tensorflow/tfjs-backend-wasm')
  const stock = kernelNamed(tf, 'BatchMatMul', 'wasm')
  const engines = new Map<string, Engine>()
  for (const [name, model] of Object.entries(models)) {
    engines.set(name, await createEngine({ model, data, backend: 'wasm' }))
  }
  const own = kernelNamed(tf, 'BatchMatMul', 'wasm')

  const batch = randomBatch()
  const times = Object.keys(models).map((name) => ({
    name,
    own: [] as number[],
    stock: [] as number[]
  }))
  for (let round = 0; round < rounds; round++) {
    for (const measured of times) {
      const engine = present(engines.get(measured.name), measured.name)
      use(stock)
      measured.stock.push(stepMs(engine, batch))
      use(own)
      measured.own.push(stepMs(engine, batch))
    }
  }
  return Object.fromEntries(
    times.map(({ name, own, stock }) => [
      name,
      { stepMs: median(own), ratioToStockWasm: median(own) / median(stock) }
    ])
  )
}

function use(kernel: tf.KernelConfig): void {
  tf.unregisterKernel('BatchMatMul', 'wasm')
  tf.registerKernel(kernel)
}

/** Processor time of a step, gradient and optimizer, as training does them. */
function stepMs(engine: Engine, batch: Samples): number {
  const parameters = initialise(engine.layout, new Random('parameters'))
  const gradient = new Float32Array(parameters.length)
  const sgd = { kind: 'sgd', learningRate: 0.01, momentum: 0.9 } as const
  const memory = optimizerMemory(sgd, parameters.length, new Float32Array())
  const start = process.cpuUsage()
  for (let step = 0; step < stepsPerRound; step++) {
    engine.gradient(parameters, batch, gradient, step)
    optimize(sgd, engine.layout, parameters, gradient, memory, step + 1)
  }
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000 / stepsPerRound
}

function randomBatch(): Samples {
  const random = new Random('batch')
  return {
    features: Float32Array.from({ length: batchSize * 28 * 28 }, () => random.next()),
    labels: Uint16Array.from({ length: batchSize }, () => random.integer(data.classes)),
    count: batchSize
  }
}
