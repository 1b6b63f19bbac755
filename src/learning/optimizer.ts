import { StarlingError } from '../core/errors.ts'
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
  const length = memoryPerParameter(spec) * parameterCount
  if (memory.length === 0) return new Float32Array(length)
  if (memory.length === length) return memory.slice()
  throw new StarlingError(
    'STARLING_SHAPE_MISMATCH',
    `the memory of '${spec.kind}' has ${length} numbers here, the one to go on from ${memory.length}`
  )
}

function memoryPerParameter(spec: OptimizerSpec): number {
  if (spec.kind === 'adam') return 2
  return spec.momentum > 0 ? 1 : 0
}

/**
 * Take one step in place. What is not trained has no gradient and stays as it is.
 *
 * @param parameters - shape [P]
 * @param gradient - shape [P]
 * @param memory - as `optimizerMemory` makes it
 * @param step - 1 for the first
 */
export function optimize(
  spec: OptimizerSpec,
  parameters: Float32Array,
  gradient: Float32Array,
  memory: Float32Array,
  step: number
): void {
  if (spec.kind === 'adam') adam(spec, parameters, gradient, memory, step)
  else if (spec.momentum > 0) momentum(spec, parameters, gradient, memory)
  else descend(spec.learningRate, parameters, gradient)
}

// Loops here know their count beforehand: asked for at every turn, it doubles the time.

function descend(learningRate: number, parameters: Float32Array, slope: Float32Array): void {
  const count = parameters.length
  for (let i = 0; i < count; i++) {
    parameters[i] = (parameters[i] as number) - learningRate * (slope[i] as number)
  }
}

/** v ← μ·v + g, x ← x − η·v (Polyak's heavy ball). */
function momentum(
  { learningRate, momentum }: Extract<OptimizerSpec, { kind: 'sgd' }>,
  parameters: Float32Array,
  gradient: Float32Array,
  velocity: Float32Array
): void {
  const count = parameters.length
  for (let i = 0; i < count; i++) {
    velocity[i] = momentum * (velocity[i] as number) + (gradient[i] as number)
  }
  descend(learningRate, parameters, velocity)
}

/**
 * Kingma and Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015, algorithm 1:
 * m ← β₁·m + (1 − β₁)·g, v ← β₂·v + (1 − β₂)·g², x ← x − η·m̂ / (√v̂ + ε), where m̂ and v̂ are m and v
 * divided by 1 − βᵗ. The memory holds m, then v.
 */
function adam(
  { learningRate, beta1, beta2, epsilon }: Extract<OptimizerSpec, { kind: 'adam' }>,
  parameters: Float32Array,
  gradient: Float32Array,
  memory: Float32Array,
  step: number
): void {
  const count = parameters.length
  const meanScale = 1 / (1 - beta1 ** step)
  const squareScale = 1 / (1 - beta2 ** step)
  for (let i = 0; i < count; i++) {
    const slope = gradient[i] as number
    const mean = beta1 * (memory[i] as number) + (1 - beta1) * slope
    const square = beta2 * (memory[count + i] as number) + (1 - beta2) * slope * slope
    memory[i] = mean
    memory[count + i] = square
    const pace = (learningRate * mean * meanScale) / (Math.sqrt(square * squareScale) + epsilon)
    parameters[i] = (parameters[i] as number) - pace
  }
}
