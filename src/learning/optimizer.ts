import { StarlingError } from '../core/errors.ts'
import type { Layout } from './layout.ts'
import { paceAt, power } from './schedule.ts'
import type { OptimizerSpec } from './training.ts'

/**
 * The optimizer's memory before its first step, or a copy of what it remembers.
 * @throws STARLING_SHAPE_MISMATCH when the memory is of another optimizer or model
 */
export function optimizerMemory(
  spec: OptimizerSpec,
  parameterCount: number,
  memory: Float32Array
): Float32Array {
  const length = memoryLength(spec, parameterCount, memory)
  return memory.length === 0 ? new Float32Array(length) : memory.slice()
}

/**
 * How many numbers the optimizer remembers.
 * @param memory - what it is to go on from; empty before its first step
 * @throws STARLING_SHAPE_MISMATCH when the memory is of another optimizer or model
 */
export function memoryLength(
  spec: OptimizerSpec,
  parameterCount: number,
  memory: Float32Array
): number {
  const length = memoryPerParameter(spec) * parameterCount
  if (memory.length === 0 || memory.length === length) return length
  throw new StarlingError(
    'STARLING_SHAPE_MISMATCH',
    `the memory of '${spec.kind}' has ${length} numbers here, the one to go on from ${memory.length}`
  )
}

function memoryPerParameter(spec: OptimizerSpec): number {
  if (spec.kind === 'adam' || spec.kind === 'adamw') return 2
  return spec.kind === 'lion' || spec.momentum > 0 ? 1 : 0
}

/** Neighbouring parameters that decay alike. */
export interface DecaySpan {
  readonly offset: number
  readonly size: number
  readonly decay: number
}

/**
 * Which parameters decay, and how much: tensors of role `weight`, and no others. Biases and
 * normalisations are left alone, as is usual; running statistics are not trained at all.
 */
export function decaySpans({ weightDecay = 0 }: OptimizerSpec, layout: Layout): DecaySpan[] {
  if (weightDecay === 0) return [{ offset: 0, size: layout.parameterCount, decay: 0 }]
  return layout.tensors.map(({ offset, size, role }) => ({
    ...{ offset, size },
    decay: role === 'weight' ? weightDecay : 0
  }))
}

/** The learning rate of a step, counted from 1. */
export function rateAt({ learningRate, schedule }: OptimizerSpec, step: number): number {
  return learningRate * paceAt(schedule, step - 1)
}

/** What Adam divides its two means by at a step, counted from 1: 1 − β₁ᵗ and 1 − β₂ᵗ. */
export function adamBiases(
  { beta1, beta2 }: { beta1: number; beta2: number },
  step: number
): { mean: number; square: number } {
  return { mean: 1 - power(beta1, step), square: 1 - power(beta2, step) }
}

/**
 * Take one step in place. What is not trained has no gradient and stays as it is.
 *
 * @param parameters - shape [P]
 * @param gradient - shape [P]; overwritten where clipping or weight decay change it
 * @param memory - as `optimizerMemory` makes it
 * @param step - 1 for the first
 */
export function optimize(
  spec: OptimizerSpec,
  layout: Layout,
  parameters: Float32Array,
  gradient: Float32Array,
  memory: Float32Array,
  step: number
): void {
  const rate = rateAt(spec, step)
  if (spec.clipNorm !== undefined) clip(gradient, spec.clipNorm)
  const isDecoupled = spec.kind === 'adamw' || spec.kind === 'lion'
  for (const { offset, size, decay } of decaySpans(spec, layout)) {
    if (decay === 0) continue
    for (let i = offset; i < offset + size; i++) {
      const value = parameters[i] as number
      if (isDecoupled) parameters[i] = value - rate * decay * value
      else gradient[i] = (gradient[i] as number) + decay * value
    }
  }
  switch (spec.kind) {
    case 'sgd':
      if (spec.momentum > 0) momentum(spec, rate, parameters, gradient, memory)
      else descend(rate, parameters, gradient)
      break
    case 'adam':
    case 'adamw':
      adam(spec, rate, parameters, gradient, memory, step)
      break
    case 'lion':
      lion(spec, rate, parameters, gradient, memory)
      break
  }
}

/** Pascanu, Mikolov and Bengio, "On the difficulty of training recurrent neural networks", ICML 2013. */
function clip(gradient: Float32Array, norm: number): void {
  let squares = 0
  for (const slope of gradient) squares += slope * slope
  const length = Math.sqrt(squares)
  if (!(length > norm)) return
  const factor = norm / length
  const count = gradient.length
  for (let i = 0; i < count; i++) gradient[i] = (gradient[i] as number) * factor
}

// Loops here know their count beforehand: asked for at every turn, it doubles the time.

function descend(learningRate: number, parameters: Float32Array, slope: Float32Array): void {
  const count = parameters.length
  for (let i = 0; i < count; i++) {
    parameters[i] = (parameters[i] as number) - learningRate * (slope[i] as number)
  }
}

/**
 * v ← μ·v + g, x ← x − η·v (Polyak's heavy ball), or, looking ahead, x ← x − η·(g + μ·v) (Sutskever et
 * al., "On the importance of initialization and momentum in deep learning", ICML 2013, in the form of
 * which the parameters are those looked ahead to).
 */
function momentum(
  { momentum, nesterov = false }: Extract<OptimizerSpec, { kind: 'sgd' }>,
  rate: number,
  parameters: Float32Array,
  gradient: Float32Array,
  velocity: Float32Array
): void {
  const count = parameters.length
  for (let i = 0; i < count; i++) {
    const slope = gradient[i] as number
    const speed = momentum * (velocity[i] as number) + slope
    velocity[i] = speed
    const step = nesterov ? slope + momentum * speed : speed
    parameters[i] = (parameters[i] as number) - rate * step
  }
}

/**
 * Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1:
 * m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², x ← x − η·m̂ / (√v̂ + ε), where m̂ and v̂ are m and v
 * divided by 1 − βᵗ. The memory holds m, then v. Decoupled decay: Loshchilov and Hutter, "Decoupled
 * Weight Decay Regularization", ICLR 2019.
 */
function adam(
  spec: Extract<OptimizerSpec, { kind: 'adam' | 'adamw' }>,
  rate: number,
  parameters: Float32Array,
  gradient: Float32Array,
  memory: Float32Array,
  step: number
): void {
  const { beta1, beta2, epsilon } = spec
  const count = parameters.length
  const biases = adamBiases(spec, step)
  const [meanScale, squareScale] = [1 / biases.mean, 1 / biases.square]
  for (let i = 0; i < count; i++) {
    const slope = gradient[i] as number
    const mean = beta1 * (memory[i] as number) + (1 - beta1) * slope
    const square = beta2 * (memory[count + i] as number) + (1 - beta2) * slope * slope
    memory[i] = mean
    memory[count + i] = square
    const pace = (rate * mean * meanScale) / (Math.sqrt(square * squareScale) + epsilon)
    parameters[i] = (parameters[i] as number) - pace
  }
}

/**
 * Chen et al., "Symbolic Discovery of Optimization Algorithms", NeurIPS 2023, algorithm 2:
 * x ← x − η·sign(β₁·m + (1 − β₁)·g), m ← β₂·m + (1 − β₂)·g.
 */
function lion(
  { beta1, beta2 }: Extract<OptimizerSpec, { kind: 'lion' }>,
  rate: number,
  parameters: Float32Array,
  gradient: Float32Array,
  memory: Float32Array
): void {
  const count = parameters.length
  for (let i = 0; i < count; i++) {
    const [slope, mean] = [gradient[i] as number, memory[i] as number]
    const direction = Math.sign(beta1 * mean + (1 - beta1) * slope)
    parameters[i] = (parameters[i] as number) - rate * direction
    memory[i] = beta2 * mean + (1 - beta2) * slope
  }
}
