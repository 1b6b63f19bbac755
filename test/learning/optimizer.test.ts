import { describe, expect, it } from 'vitest'
import { createLayout } from '../../src/learning/layout.ts'
import { optimize, optimizerMemory } from '../../src/learning/optimizer.ts'
import type { OptimizerSpec } from '../../src/learning/training.ts'

/** Two parameters; of these, only the first is one that decays. */
const layout = createLayout(
  (['weight', 'bias'] as const).map((role) => ({
    ...{ name: role, shape: [1], role },
    initialiser: { kind: 'constant', value: 0 }
  }))
)

const sgd = { kind: 'sgd', learningRate: 0.5, momentum: 0 } as const
const heavy = { kind: 'sgd', learningRate: 0.5, momentum: 0.75 } as const
const adam = { kind: 'adam', learningRate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-3 } as const

/** Two parameters, of which the second is not trained, after steps with these slopes. */
function after(spec: OptimizerSpec, slopes: number[]): number[] {
  const parameters = Float32Array.of(1, 3)
  const memory = optimizerMemory(spec, 2, new Float32Array())
  for (const [index, slope] of slopes.entries()) {
    optimize(spec, layout, parameters, Float32Array.of(slope, 0), memory, index + 1)
  }
  return [...parameters]
}

describe('sgd', () => {
  it('goes against the slope', () => {
    expect(after(sgd, [2, -4])).toEqual([1 - 0.5 * 2 + 0.5 * 4, 3])
  })

  it('with momentum keeps a part of its velocity', () => {
    expect(after(heavy, [2, -4])).toEqual([1 - 0.5 * 2 - 0.5 * (0.75 * 2 - 4), 3])
  })
})

describe('adam', () => {
  it('takes the steps of the paper', () => {
    // Worked by hand: m = .2, then -.22; v = .04, then .1996; corrected by 1 - beta^t.
    const first = (0.1 * (0.2 / 0.1)) / (Math.sqrt(0.04 / 0.01) + 1e-3)
    const second = (0.1 * (-0.22 / 0.19)) / (Math.sqrt(0.1996 / 0.0199) + 1e-3)

    const [moved, still] = after(adam, [2, -4])

    expect(moved).toBeCloseTo(1 - first - second, 6)
    expect(still).toBe(3)
  })
})

describe('optimizerMemory', () => {
  it.each([
    [sgd, 0],
    [heavy, 3],
    [adam, 6]
  ])('of %j over 3 parameters has %i numbers', (spec, length) => {
    expect(optimizerMemory(spec, 3, new Float32Array())).toEqual(new Float32Array(length))
  })

  it('is a copy of what is remembered', () => {
    const kept = Float32Array.of(1, 2, 3)
    const memory = optimizerMemory(heavy, 3, kept)
    memory[0] = 9
    expect(kept[0]).toBe(1)
  })

  it('refuses the memory of another optimizer', () => {
    expect(() => optimizerMemory(adam, 3, new Float32Array(3))).toThrow(
      "the memory of 'adam' has 6 numbers here, the one to go on from 3"
    )
  })
})
