import * as tf from '@tensorflow/tfjs'
import type { Engine } from '../../src/learning/engine/engine.ts'
import { createEngine } from '../../src/learning/engine/select.ts'
import { kernelNamed } from '../../src/learning/engine/wasm-kernels.ts'
import { engineCases, type EngineCase } from './engine-cases.ts'
import { trainerOf } from './engine-trainer.ts'
import { benchManyPeers, type ManyPeers } from './many-peers.ts'
import { median } from './median.ts'
import { benchTrainerStart } from './trainer-start.ts'
import { Torch } from './torch.ts'
import { benchTwoWorkers } from './two-workers.ts'

/**
 * What one training step costs: gradient and optimizer, on one thread. Processor time, in rounds that
 * take turns with PyTorch, tfjs' own wasm kernels and tfjs' plain JavaScript on the same model, so
 * that a busy machine is unfair to none. Medians count, and of them the ratios.
 */
const rounds = 7

interface StepCost {
  readonly stepMs: number
  /** With `--fast-math`. */
  readonly fastMathStepMs: number
  /** Below 1 where ours is the faster. Left out where the other cannot train the model. */
  readonly ratioToPyTorch?: number
  readonly ratioToStockWasm?: number
  readonly ratioToTfjsCpu?: number
}

interface EngineFigures {
  readonly [model: string]: StepCost | ManyPeers | number | string
}

export async function benchEngine(): Promise<EngineFigures> {
  const torch = await Torch.start()
  const figures: Record<string, EngineFigures[string]> = {}
  figures.pytorch = typeof torch === 'string' ? `left out: ${torch}` : torch.version
  const stock = await StockWasm.prepare()
  for (const [name, each] of Object.entries(engineCases)) {
    figures[name] = await measure(name, each, typeof torch === 'string' ? undefined : torch, stock)
  }
  if (typeof torch !== 'string') torch.stop()
  figures.twoWorkersSpeedup = await benchTwoWorkers()
  figures.manyPeers = await benchManyPeers()
  figures.trainerStartMs = await benchTrainerStart()
  return figures
}

type StepMs = () => number | Promise<number>

async function measure(
  name: string,
  each: EngineCase,
  torch: Torch | undefined,
  stock: StockWasm
): Promise<StepCost> {
  const ours = await trainerOf(each, 'plan')
  const relaxed = await trainerOf(each, 'plan', true)
  const contestants: Record<string, StepMs> = {
    own: () => ours(each.steps),
    fastMath: () => relaxed(each.steps)
  }
  if (torch !== undefined) contestants.pyTorch = () => torch.stepMs(name, each.steps)
  if (each.against.includes('stockWasm')) {
    const wasm = await trainerOf(each, 'wasm')
    contestants.stockWasm = () => stock.use(() => wasm(Math.ceil(each.steps / 10)))
  }
  const times: Record<string, number[]> = {}
  for (let round = -1; round < rounds; round++) {
    for (const [contestant, stepMs] of Object.entries(contestants)) {
      const ms = await stepMs()
      if (round >= 0) (times[contestant] ??= []).push(ms) // the first only warms up
    }
  }
  const middle = (contestant: string): number => median(times[contestant] ?? [])
  const ratioTo = (contestant: string): number | undefined =>
    times[contestant] && middle('own') / middle(contestant)
  const cpu = each.against.includes('tfjsCpu') ? await trainerOf(each, 'cpu') : undefined
  return {
    stepMs: middle('own'),
    fastMathStepMs: middle('fastMath'),
    ...optional('ratioToPyTorch', ratioTo('pyTorch')),
    ...optional('ratioToStockWasm', ratioTo('stockWasm')),
    ...optional('ratioToTfjsCpu', cpu && middle('own') / cpu(1)) // one step takes seconds
  }
}

function optional(key: string, value: number | undefined): object {
  return value === undefined ? {} : { [key]: value }
}

/** tfjs' own matrix product in place of the one that we replace it with. */
class StockWasm {
  readonly #stock: tf.KernelConfig
  readonly #own: tf.KernelConfig

  private constructor(stock: tf.KernelConfig, own: tf.KernelConfig) {
    this.#stock = stock
    this.#own = own
  }

  static async prepare(): Promise<StockWasm> {
    await import('@tensorflow/tfjs-backend-wasm')
    const stock = kernelNamed(tf, 'BatchMatMul', 'wasm')
    const { mlp } = engineCases
    const engine: Engine | undefined =
      mlp && (await createEngine({ model: mlp.model, data: mlp.data, backend: 'wasm' }))
    engine?.dispose()
    return new StockWasm(stock, kernelNamed(tf, 'BatchMatMul', 'wasm'))
  }

  use<T>(work: () => T): T {
    replace(this.#stock)
    try {
      return work()
    } finally {
      replace(this.#own)
    }
  }
}

function replace(kernel: tf.KernelConfig): void {
  tf.unregisterKernel('BatchMatMul', 'wasm')
  tf.registerKernel(kernel)
}
