import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Random } from '../../../src/core/random.ts'
import { addressOf, Heap } from '../../../src/learning/engine/plan/heap.ts'
import { planOptimizer } from '../../../src/learning/engine/plan/plan-optimizer.ts'
import { createLayout } from '../../../src/learning/layout.ts'
import { optimize, optimizerMemory } from '../../../src/learning/optimizer.ts'
import { optimizerSchema, type OptimizerSpec } from '../../../src/learning/training.ts'
import { relativeDifference } from './models.ts'

const rate = fc.double({ min: 1e-4, max: 0.5, noNaN: true })
// With no memory, Adam divides what decay and slope leave of each other by itself.
const beta = fc.double({ min: 0.5, max: 0.999, noNaN: true })
const betas = { beta1: beta, beta2: beta }
const common = {
  learningRate: rate,
  weightDecay: fc.constantFrom(undefined, 0.01, 0.5),
  clipNorm: fc.constantFrom(undefined, 0.5, 1e6),
  schedule: fc.constantFrom(
    undefined,
    { kind: 'step', everySteps: 2, factor: 0.5 },
    { kind: 'cosine', steps: 9, floor: 0.1, warmupSteps: 2 }
  )
}

const kinds: Record<string, fc.Arbitrary<object>> = {
  sgd: fc.record({ kind: fc.constant('sgd'), ...common }),
  momentum: fc.record({
    ...{ kind: fc.constant('sgd'), momentum: fc.double({ min: 0.01, max: 0.99, noNaN: true }) },
    ...{ nesterov: fc.boolean(), ...common }
  }),
  adam: fc.record({ kind: fc.constant('adam'), epsilon: fc.constant(1e-3), ...betas, ...common }),
  adamw: fc.record({ kind: fc.constant('adamw'), epsilon: fc.constant(1e-3), ...betas, ...common }),
  lion: fc.record({ kind: fc.constant('lion'), ...betas, ...common })
}

/** Tensors that decay between others that do not, with sides that no vector divides. */
function layoutOf(sizes: readonly number[]) {
  const roles = ['weight', 'bias', 'weight', 'normalisation'] as const
  return createLayout(
    sizes.map((size, index) => ({
      ...{ name: `t${index}`, shape: [size], role: roles[index % 4] ?? 'weight' },
      initialiser: { kind: 'constant', value: 0 }
    }))
  )
}

describe.each(Object.entries(kinds))('the kernels of %s', (_name, specs) => {
  it('take the steps that the formulas in JavaScript take', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(specs, sizes, fc.nat(), (drawn, sizes, seed) => {
        const spec: OptimizerSpec = optimizerSchema.parse(drawn)
        const layout = layoutOf(sizes)
        const count = layout.parameterCount
        const random = new Random(`${seed}`)
        const normals = (): Float32Array =>
          Float32Array.from({ length: count }, () => random.normal())
        const parameters = normals()
        const memory = optimizerMemory(spec, count, new Float32Array())
        const heap = new Heap(count, false)
        const view = (region: Heap['parameters'], length = count): Float32Array =>
          heap.view(addressOf(region), length)
        view(heap.parameters).set(parameters)
        view(heap.optimizer, memory.length).set(memory)
        const update = planOptimizer(spec, layout, heap)

        for (let step = 1; step <= 6; step++) {
          const slopes = normals()
          view(heap.slopes).set(slopes)
          update(step)
          optimize(spec, layout, parameters, slopes, memory, step)
        }

        expect(relativeDifference(view(heap.parameters), parameters)).toBeLessThan(1e-5)
        expect(relativeDifference(view(heap.optimizer, memory.length), memory)).toBeLessThan(1e-5)
      }),
      { numRuns: 60 }
    )
  })
})
