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

describe('sgd, looking ahead', () => {
  it('takes its step from where its velocity brings it', () => {
    // v = 2, then .75 · 2 − 4 = −2.5; steps are g + .75 · v
    const nesterov = { ...heavy, nesterov: true }

    expect(after(nesterov, [2, -4])).toEqual([1 - 0.5 * (2 + 1.5) - 0.5 * (-4 - 1.875), 3])
  })
})

describe('lion', () => {
  const lion = { kind: 'lion', learningRate: 0.25, beta1: 0.5, beta2: 0.75 } as const

  it('takes steps of one length, where slope and memory together point', () => {
    // m = .5, then .375 − .125 = .25, then .1875; blends: 1, .25 − .25 = 0, .125 − .25 < 0
    expect(after(lion, [2])).toEqual([0.75, 3])
    expect(after(lion, [2, -0.5])).toEqual([0.75, 3])
    expect(after(lion, [2, -0.5, -0.5])).toEqual([1, 3])
  })

  it('decays apart from its direction', () => {
    expect(after({ ...lion, weightDecay: 0.5 }, [2])).toEqual([1 - 0.25 - 0.25 * 0.5 * 1, 3])
  })
})

describe('weight decay', () => {
  const decaying = { ...sgd, weightDecay: 0.25 }

  it('pulls weights towards zero, and nothing else', () => {
    expect(after(decaying, [2])).toEqual([1 - 0.5 * (2 + 0.25 * 1), 3])
  })

  it('goes through the velocity of momentum', () => {
    // g + decay · x = 2.25, x = −.125; then v = .75 · 2.25 + 0 − .25 · .125
    const decaying = { ...heavy, weightDecay: 0.25 }
    const first = 1 - 0.5 * 2.25

    expect(after(decaying, [2, 0])).toEqual([first - 0.5 * (0.75 * 2.25 + 0.25 * first), 3])
  })

  it('is divided by the size of the slope in adam, and is not in adamw', () => {
    // The first step of adam is the rate in the direction of the slope, however large that is.
    const decaying = { ...adam, epsilon: 1e-12, weightDecay: 0.5 }

    expect(after(decaying, [2])[0]).toBeCloseTo(1 - 0.1, 6)
    expect(after({ ...decaying, kind: 'adamw' }, [2])[0]).toBeCloseTo(1 - 0.1 - 0.1 * 0.5, 6)
    expect(after({ ...decaying, kind: 'adamw' }, [2])[1]).toBe(3)
  })
})

describe('clipping', () => {
  it('shortens the whole gradient, and only one that is too long', () => {
    const clipped = (slope: Float32Array): number[] => {
      const parameters = Float32Array.of(1, 3)
      const spec = { ...sgd, clipNorm: 2.5 }
      optimize(spec, layout, parameters, slope, new Float32Array(), 1)
      return [...parameters]
    }

    expect(clipped(Float32Array.of(3, 4))).toEqual([1 - 0.5 * 1.5, 3 - 0.5 * 2])
    expect(clipped(Float32Array.of(1.5, 2))).toEqual([1 - 0.5 * 1.5, 3 - 0.5 * 2])
    expect(clipped(Float32Array.of(0, 1))).toEqual([1, 2.5])
  })
})

describe('a schedule', () => {
  it('changes the rate from step to step', () => {
    const halving = { ...sgd, schedule: { kind: 'step', everySteps: 1, factor: 0.5 } } as const

    expect(after(halving, [2, 2])).toEqual([1 - 0.5 * 2 - 0.25 * 2, 3])
  })
})

describe('optimizerMemory', () => {
  it.each([
    [sgd, 0],
    [heavy, 3],
    [{ kind: 'lion', learningRate: 1, beta1: 0.9, beta2: 0.99 } as const, 3],
    [adam, 6],
    [{ ...adam, kind: 'adamw' } as const, 6]
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
