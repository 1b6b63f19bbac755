/**
 * What one training step costs on wasm: `node scripts/bench/engine.ts [--json]`.
 * Processor time, in rounds that take turns, so that a busy machine is unfair to none; medians count.
 * Beside it the same with tfjs' own matrix product, for what ours brings.
 */
import * as tf from '@tensorflow/tfjs'
import Table from 'cli-table3'
import { Random } from '../../src/core/random.ts'
import type { Samples } from '../../src/learning/data/dataset.ts'
import type { Engine } from '../../src/learning/engine/engine.ts'
import { createEngine } from '../../src/learning/engine/select.ts'
import { initialise } from '../../src/learning/layout.ts'
import type { ModelSpec } from '../../src/learning/model/spec.ts'
import { optimize, optimizerMemory } from '../../src/learning/optimizer.ts'

await import('@tensorflow/tfjs-backend-wasm')
const stock = tf.getKernel('BatchMatMul', 'wasm')

const data = { shape: [28, 28, 1], classes: 10 }
const batchSize = 64
const rounds = 7
const stepsPerRound = 20

const models: Record<string, ModelSpec> = {
  'logreg 784-10': { preset: 'logreg' },
  'mlp 784-64-10': { preset: 'mlp', hidden: [64] },
  'mlp 784-64-64-64-64-10': { preset: 'mlp', hidden: [64, 64, 64, 64] },
  'mlp 784-512-256-10': { preset: 'mlp', hidden: [512, 256] },
  'cnn 16-32-64': { preset: 'cnn', filters: [16, 32], hidden: 64 }
}

const batch = randomBatch()
const engines = new Map<string, Engine>()
for (const [name, model] of Object.entries(models)) {
  engines.set(name, await createEngine({ model, data, backend: 'wasm' }))
}
const own = tf.getKernel('BatchMatMul', 'wasm')

const times = new Map<string, { wasm: number[]; stock: number[] }>()
for (let round = 0; round < rounds; round++) {
  for (const [name, engine] of engines) {
    const measured = times.get(name) ?? { wasm: [], stock: [] }
    times.set(name, measured)
    use(stock)
    measured.stock.push(stepMs(engine))
    use(own)
    measured.wasm.push(stepMs(engine))
  }
}

const results = [...times].map(([model, { wasm, stock }]) => ({
  model,
  cpuMs: median(wasm),
  cpuMsWithStockMatMul: median(stock)
}))
if (process.argv.includes('--json')) {
  console.log(JSON.stringify({ node: process.version, batchSize, results }, null, 2))
} else {
  const table = new Table({
    head: [`batch ${batchSize}`, 'CPU ms a step', 'with stock matMul']
  })
  for (const { model, cpuMs, cpuMsWithStockMatMul } of results) {
    table.push([model, cpuMs.toFixed(2), cpuMsWithStockMatMul.toFixed(2)])
  }
  console.log(table.toString())
}

function use(kernel: tf.KernelConfig | undefined): void {
  if (kernel === undefined) throw new Error('tfjs has no matrix product for wasm')
  tf.unregisterKernel('BatchMatMul', 'wasm')
  tf.registerKernel(kernel)
}

/** Processor time of a step, gradient and optimizer, as training does them. */
function stepMs(engine: Engine): number {
  const parameters = initialise(engine.layout, new Random('parameters'))
  const gradient = new Float32Array(parameters.length)
  const sgd = { kind: 'sgd', learningRate: 0.01, momentum: 0.9 } as const
  const memory = optimizerMemory(sgd, parameters.length, new Float32Array())
  const start = process.cpuUsage()
  for (let step = 0; step < stepsPerRound; step++) {
    engine.gradient(parameters, batch, gradient, step)
    optimize(sgd, parameters, gradient, memory, step + 1)
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

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1] ?? NaN
}
