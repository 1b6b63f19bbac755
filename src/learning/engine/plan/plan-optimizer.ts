import { adamBiases, decaySpans, rateAt } from '../../optimizer.ts'
import type { Layout } from '../../layout.ts'
import type { OptimizerSpec } from '../../training.ts'
import { addressOf, type Heap } from './heap.ts'

/** One step of the optimizer over the heap's parameters, from its slopes. Steps count from 1. */
export function planOptimizer(
  spec: OptimizerSpec,
  layout: Layout,
  heap: Heap
): (step: number) => void {
  const { parameterCount } = layout
  const parameters = addressOf(heap.parameters)
  const slopes = addressOf(heap.slopes)
  const memory = addressOf(heap.optimizer)
  const update = updateOf(spec, heap)
  const clip = clipOf(spec, slopes, parameterCount, heap)
  const spans = decaySpans(spec, layout).map(({ offset, size, decay }) => ({
    x: parameters + 4 * offset,
    g: slopes + 4 * offset,
    first: memory + 4 * offset,
    second: memory + 4 * (parameterCount + offset),
    n: size,
    decay
  }))
  return (step) => {
    clip()
    const rate = rateAt(spec, step)
    for (const span of spans) update(span, rate, step)
  }
}

interface Span {
  /** Addresses of parameters, slopes, and the two halves of the optimizer's memory. */
  readonly x: number
  readonly g: number
  readonly first: number
  readonly second: number
  readonly n: number
  readonly decay: number
}

type Update = (span: Span, rate: number, step: number) => void

function updateOf(spec: OptimizerSpec, { kernel }: Heap): Update {
  switch (spec.kind) {
    case 'sgd': {
      if (spec.momentum === 0) {
        const sgd = kernel('sgd')
        return ({ x, g, n, decay }, rate) => sgd(x, g, n, rate, decay)
      }
      const momentum = kernel('momentum')
      const nesterov = spec.nesterov === true ? 1 : 0
      return ({ x, g, first, n, decay }, rate) =>
        momentum(x, g, first, n, rate, decay, spec.momentum, nesterov)
    }
    case 'adam':
    case 'adamw': {
      const adam = kernel('adam')
      const { beta1, beta2, epsilon } = spec
      const isDecoupled = spec.kind === 'adamw' ? 1 : 0
      return ({ x, g, first, second, n, decay }, rate, step) => {
        const { mean, square } = adamBiases(spec, step)
        const settings = [rate, decay, beta1, beta2, epsilon, 1 / mean, 1 / square, isDecoupled]
        adam(x, g, first, second, n, ...settings)
      }
    }
    case 'lion': {
      const lion = kernel('lion')
      return ({ x, g, first, n, decay }, rate) =>
        lion(x, g, first, n, rate, decay, spec.beta1, spec.beta2)
    }
  }
}

function clipOf(
  { clipNorm }: OptimizerSpec,
  slopes: number,
  count: number,
  { kernel }: Heap
): () => void {
  if (clipNorm === undefined) return () => undefined
  const squaredNorm = kernel('squaredNorm')
  const scale = kernel('scale')
  return () => {
    const norm = Math.sqrt(squaredNorm(slopes, count))
    if (norm > clipNorm) scale(slopes, count, clipNorm / norm, slopes)
  }
}
