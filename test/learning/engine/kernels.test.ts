import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { loadKernels, reservedBytes } from '../../../src/learning/engine/kernels.ts'

const { memory, kernel } = loadKernels()
memory.grow(16)
const input = reservedBytes
const output = reservedBytes + 2 ** 18

/** What a kernel of one number makes of many. */
function computed(name: string, values: readonly number[]): Float32Array {
  new Float32Array(memory.buffer, input, values.length).set(values)
  kernel(name)(input, values.length, output)
  return new Float32Array(memory.buffer, output, values.length).slice()
}

/** The largest distance from the truth, over numbers of all sizes. */
function largestError(name: string, truth: (x: number) => number, relative: boolean): number {
  let largest = 0
  const check = (values: readonly number[]): void => {
    const rounded = values.map(Math.fround)
    for (const [index, value] of computed(name, rounded).entries()) {
      const exact = truth(rounded[index] as number)
      const error = Math.abs(value - exact) / (relative ? Math.abs(exact) || 1 : 1)
      largest = Math.max(largest, error)
    }
  }
  check(Array.from({ length: 20_001 }, (_, i) => (i - 10_000) / 500))
  fc.assert(
    fc.property(fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { maxLength: 9 }), (values) =>
      check(values)
    )
  )
  return largest
}

describe('elementary functions', () => {
  it('are as close to the truth as float32 allows', () => {
    expect(largestError('sigmoid', (x) => 1 / (1 + Math.exp(-x)), true)).toBeLessThan(3e-7)
    expect(largestError('tanh', Math.tanh, true)).toBeLessThan(5e-7)
    const gelu = (x: number): number =>
      0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
    expect(largestError('gelu', gelu, false)).toBeLessThan(2e-6)
  })

  it.each(['sigmoid', 'tanh', 'gelu'])('%s stays in its range far out', (name) => {
    const [low, high] = computed(name, [-1e30, 1e30])
    const [lowest, highest] = { sigmoid: [0, 1], tanh: [-1, 1], gelu: [0, 1e30] }[name] as number[]

    expect(low).toBeCloseTo(lowest as number, 6)
    expect(high).toBe(Math.fround(highest as number))
  })

  it.each(['sigmoid', 'tanh', 'gelu', 'relu'])(
    '%s does not hide that there is no number',
    (name) => {
      expect(computed(name, [1, NaN, 2])[1]).toBeNaN()
    }
  )
})

describe('loading', () => {
  afterEach(() => vi.restoreAllMocks())

  it('gives each its own memory', () => {
    const other = loadKernels()
    other.memory.grow(16)

    other.kernel('fill')(input, 1, 7)
    kernel('fill')(input, 1, 5)

    expect(new Float32Array(other.memory.buffer, input, 1)[0]).toBe(7)
    expect(new Float32Array(memory.buffer, input, 1)[0]).toBe(5)
  })

  it('takes kernels that round freely only when they are asked for', () => {
    expect(loadKernels().isRelaxed).toBe(false)
    expect(loadKernels(true).isRelaxed).toBe(true)
  })

  it('takes the plain ones where relaxed SIMD is unknown', async () => {
    vi.resetModules()
    const fresh = await import('../../../src/learning/engine/kernels.ts')
    vi.spyOn(WebAssembly, 'validate').mockReturnValueOnce(false)

    expect(fresh.loadKernels(true).isRelaxed).toBe(false)
  })

  it('says so where SIMD itself is unknown', async () => {
    vi.resetModules()
    const fresh = await import('../../../src/learning/engine/kernels.ts')
    vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)

    expect(() => fresh.loadKernels()).toThrow(/does not run WebAssembly with SIMD/)
  })
})
