import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alieZ, normalQuantile } from '../../../sim/adversaries/alie.ts'
import type { Accomplices, Attack, Moment, Neighbour } from '../../../sim/adversaries/attack.ts'
import { createAttack } from '../../../sim/adversaries/attacks.ts'
import { adversarySchema, type AdversaryKind } from '../../../sim/adversaries/spec.ts'
import { notary } from '../../records.ts'
import { Random } from '../../../src/core/random.ts'
import { momentsOf } from '../../../src/learning/vectors/vectors.ts'

function attackOf(
  kind: AdversaryKind,
  options: Readonly<Record<string, unknown>> = {},
  accomplices: Partial<Accomplices> = {}
): Attack {
  return createAttack(adversarySchema.parse({ kind, ...options }), {
    random: new Random(1),
    shared: new Random(2),
    names: () => ['peer-003', 'peer-007'],
    signerOf: (peer) => notary.signerOf(peer),
    task: 'task',
    deadlineMs: 10_000,
    peers: 20,
    hostileCount: 4,
    batchSize: 32,
    neighbourhood: () => [],
    ...accomplices
  })
}

const seenOf = (...models: number[][]): Moment['seen'] =>
  new Map(models.map((model, peer) => [peer, Float32Array.from(model)]))
const momentOf = (moment: Partial<Moment> = {}): Moment => ({
  truth: Float32Array.of(1, -2),
  to: 0,
  trainings: 1,
  seen: new Map(),
  ...moment
})
const forged = (attack: Attack, moment: Partial<Moment> = {}): number[] | undefined => {
  const lie = attack.forge?.(momentOf(moment))
  return lie === undefined ? undefined : [...lie]
}

describe('attacks that need to know nobody', () => {
  it('flip the sign of the own model, times a scale', () => {
    expect(forged(attackOf('sign-flip'))).toEqual([-1, 2])
    expect(forged(attackOf('sign-flip', { scale: 3 }))).toEqual([-3, 6])
  })

  it('add noise of the deviation that is asked for to the own model', () => {
    const truth = new Float32Array(20_000).fill(7)
    const lie = attackOf('gaussian', { deviation: 0.5 }).forge?.(momentOf({ truth }))
    const { mean, variance } = momentsOf(lie as Float32Array)
    expect(mean).toBeCloseTo(7, 1) // 0.5 / √20,000 is 0.004
    expect(Math.sqrt(variance)).toBeCloseTo(0.5, 1)
  })

  it('send zeros, or numbers that are none', () => {
    expect(forged(attackOf('zero'))).toEqual([0, 0])
    expect(forged(attackOf('nan'))).toEqual([NaN, NaN])
  })

  it('send noise of the deviation that is asked for, whatever they learned', () => {
    const truth = new Float32Array(20_000).fill(7)
    const lie = attackOf('random', { deviation: 3 }).forge?.(momentOf({ truth }))
    const { mean, variance } = momentsOf(lie as Float32Array)
    expect(Math.abs(mean)).toBeLessThan(0.1) // 3 / √20,000 is 0.02
    expect(Math.sqrt(variance)).toBeCloseTo(3, 1)
  })

  it('send one number everywhere', () => {
    expect(forged(attackOf('same-value', { value: -4 }))).toEqual([-4, -4])
  })

  it.each([
    ['nan', [NaN, NaN]],
    ['infinity', [Infinity, Infinity]],
    ['minus-infinity', [-Infinity, -Infinity]],
    ['denormal', [Math.fround(1e-40), Math.fround(1e-40)]],
    ['minus-zero', [-0, -0]],
    ['huge', [Math.fround(1e38), Math.fround(1e38)]],
    ['huge-scale', [Math.fround(1e30), Math.fround(-2e30)]]
  ])('send numbers at the edge: %s', (value, expected) => {
    expect(forged(attackOf('numeric', { value }))).toEqual(expected)
  })

  it('tell victims one thing and everybody else the truth', () => {
    const attack = attackOf('equivocate', { victims: [3, 5], scale: 2 })
    expect(forged(attack, { to: 3 })).toEqual([-2, 4])
    expect(forged(attack, { to: 4 })).toBeUndefined()
    expect(attack.twoFaced).toBe(true)
  })

  it('agree on their victims, about as many as was asked for', () => {
    const accomplices = [1, 2].map((seed) =>
      attackOf('equivocate', { victims: 0.3 }, { random: new Random(seed) })
    )
    const [ours, theirs] = accomplices.map((attack) =>
      Array.from({ length: 400 }, (_, to) => forged(attack, { to }) !== undefined)
    )
    expect(ours).toEqual(theirs)
    const told = ours?.filter(Boolean).length ?? 0
    expect(told).toBeGreaterThan(80)
    expect(told).toBeLessThan(160)
  })

  it('send the first model again and again', () => {
    const attack = attackOf('replay')
    expect(forged(attack)).toEqual([1, -2])
    expect(forged(attack, { truth: Float32Array.of(5, 5) })).toEqual([1, -2])
  })

  it('lie by what they learned, and only once they have learned', () => {
    expect(forged(attackOf('label-flip'))).toEqual([1, -2])
    expect(forged(attackOf('label-flip'), { trainings: 0 })).toBeUndefined()
    expect(forged(attackOf('free-rider'), { trainings: 0 })).toBeUndefined()
  })

  it('claim work that was never done', () => {
    const state = { parameters: Float32Array.of(3), optimizer: new Float32Array(0), steps: 8 }
    const result = attackOf('free-rider').pretend?.(state, 4)
    expect(result).toMatchObject({ steps: 12, samples: 4 * 32, rolledBack: false })
    expect(result?.parameters).toBe(state.parameters)
  })
})

describe('attacks with what honest peers send', () => {
  const spies = ['alie', 'ipm', 'mimic', 'dissensus', 'drift'] as const

  it.each(spies)('%s says the truth as long as nobody was heard', (kind) => {
    expect(attackOf(kind).spies).toBe(true)
    expect(forged(attackOf(kind))).toBeUndefined()
  })

  it('alie stays z deviations below the mean of each coordinate', () => {
    const seen = seenOf([1, 0], [3, 0], [5, 6]) // deviations of the population: √(8/3), √8
    const [a, b] = forged(attackOf('alie', { z: 1.5 }), { seen }) as [number, number]
    expect(a).toBeCloseTo(3 - 1.5 * Math.sqrt(8 / 3), 5)
    expect(b).toBeCloseTo(2 - 1.5 * Math.sqrt(8), 5)
  })

  it('ipm turns the mean round, and small', () => {
    const seen = seenOf([1, 10], [3, -30])
    const [a, b] = forged(attackOf('ipm', { epsilon: 0.5 }), { seen }) as [number, number]
    expect([a, b]).toEqual([-1, 5])
  })

  it('mimic copies the first, whoever it is for', () => {
    const seen = seenOf([1, 10], [3, -30])
    expect(forged(attackOf('mimic'), { seen, to: 1 })).toEqual([1, 10])
  })

  it('drift stays a share of their distance from the mean of others, always on one side', () => {
    const model = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 3, maxLength: 3 })
    const drifting = (): Attack => attackOf('drift', { distance: 0.8 })
    fc.assert(
      fc.property(
        fc.array(model, { minLength: 2, maxLength: 6 }),
        fc.array(model, { minLength: 2, maxLength: 6 }),
        (first, second) => {
          const attack = drifting()
          const truth = Float32Array.of(0, 0, 0)
          const steps = [first, second].map((models) => {
            const lie = forged(attack, { seen: seenOf(...models), truth }) as number[]
            const means = [0, 1, 2].map(
              (i) => models.reduce((sum, each) => sum + each[i]!, 0) / models.length
            )
            const spread = Math.sqrt(
              models.reduce(
                (sum, each) => sum + each.reduce((s, x, i) => s + (x - means[i]!) ** 2, 0),
                0
              ) / models.length
            )
            const step = lie.map((x, i) => x - means[i]!)
            expect(Math.hypot(...step)).toBeCloseTo(0.8 * spread, 2)
            return { step, length: 0.8 * spread }
          })
          const [a, b] = steps as [(typeof steps)[0], (typeof steps)[0]]
          const along = a.step.reduce((sum, x, i) => sum + x * b.step[i]!, 0)
          expect(Math.abs(along - a.length * b.length)).toBeLessThan(1e-3 * (1 + along))
        }
      )
    )
  })

  it('dissensus undoes epsilon times what honest neighbours do to a peer', () => {
    const model = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 2, maxLength: 2 })
    fc.assert(
      fc.property(
        fc.array(model, { minLength: 2, maxLength: 6 }),
        fc.array(fc.double({ min: 0.1, max: 1, noNaN: true }), { minLength: 9, maxLength: 9 }),
        fc.integer({ min: 1, max: 3 }),
        fc.double({ min: 0.1, max: 3, noNaN: true }),
        (models, weights, hostileCount, epsilon) => {
          const neighbours = models
            .slice(1)
            .map((_, i): Neighbour => ({ peer: i + 1, weight: weights[i] ?? 1, honest: true }))
          for (let i = 0; i < hostileCount; i++) {
            neighbours.push({ peer: 100 + i, weight: weights[5 + i] ?? 1, honest: false })
          }
          const attack = attackOf('dissensus', { epsilon }, { neighbourhood: () => neighbours })
          const lie = forged(attack, { seen: seenOf(...models) }) as number[]
          const [own] = models as [number[]]

          for (const i of [0, 1]) {
            // Σ over hostile W (lie − x) = −ε Σ over honest W (xⱼ − x)
            const pull = (honest: boolean, modelOf: (peer: number) => number): number =>
              neighbours
                .filter((neighbour) => neighbour.honest === honest)
                .reduce((sum, { peer, weight }) => sum + weight * (modelOf(peer) - own[i]!), 0)
            const hostile = pull(false, () => lie[i]!)
            const honest = pull(true, (peer) => models[peer]![i]!)
            expect(hostile).toBeCloseTo(-epsilon * honest, 1)
          }
        }
      )
    )
  })
})

describe('the z of alie', () => {
  it.each([
    [0.5, 0],
    [0.975, 1.959963984540054],
    [0.5625, 0.15731068461017067],
    [0.01, -2.3263478740408408],
    [0.999, 3.090232306167813]
  ])('Φ⁻¹(%d) is %d', (p, z) => {
    expect(normalQuantile(p)).toBeCloseTo(z, 7)
  })

  it('is what lets honest supporters make a majority', () => {
    // n = 50, m = 24: two supporters of 26 are needed, (50 − 24 − 2) / 26 are not.
    expect(alieZ(50, 24)).toBeCloseTo(normalQuantile(24 / 26), 12)
    expect(alieZ(20, 4)).toBeCloseTo(0.15731, 4)
  })

  it('is finite for any numbers', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 500 }), fc.nat(), (n, dice) => {
        const z = alieZ(n, 1 + (dice % (n - 1)))
        expect(Number.isFinite(z)).toBe(true)
      })
    )
  })
})
