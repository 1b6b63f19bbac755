import { describe, expect, it } from 'vitest'
import type { LayerSpec } from '../../../src/learning/layers/layers.ts'
import { engineOf, given } from './room.ts'

/** As the input is: it has seen nothing yet. */
const copied: LayerSpec = { kind: 'batchNorm', name: 'other', from: 'input', epsilon: 1e-12 }

describe('add', () => {
  it('sums layers, and clamps where relu is asked for', () => {
    const layers = (activation?: 'relu'): LayerSpec[] => [
      copied,
      { kind: 'add', name: 'sum', from: ['input', 'other', 'input'], activation }
    ]
    expect(given(engineOf([2], layers()), 'sum', [2, -1])).toEqual([6, -3])
    expect(given(engineOf([2], layers('relu')), 'sum', [2, -1])).toEqual([6, 0])
  })

  it.each<[LayerSpec, RegExp]>([
    [{ kind: 'add', from: 'input' }, /adds layers: name two or more in 'from'/],
    [{ kind: 'add', from: ['input', 'one'] }, /layers of one shape, and looks at \[2\] and \[1\]/],
    [{ kind: 'concat', from: ['input'] }, /joins layers: name two or more in 'from'/]
  ])('refuses %o', (layer, why) => {
    const layers: LayerSpec[] = [{ kind: 'dense', name: 'one', units: 1 }, layer]
    expect(() => engineOf([2], layers)).toThrow(why)
  })
})

describe('concat', () => {
  it('puts layers side by side, place by place', () => {
    const engine = engineOf(
      [2, 1, 2],
      [
        { kind: 'avgPool2d', name: 'copy', poolSize: 1 },
        { kind: 'concat', name: 'both', from: ['input', 'copy', 'input'] },
        { kind: 'flatten' }
      ]
    )
    expect(given(engine, 'both', [1, 2, 3, 4])).toEqual([1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4])
  })

  it('refuses layers whose other sides differ', () => {
    const layers: LayerSpec[] = [
      { kind: 'maxPool2d', name: 'half', poolSize: 2 },
      { kind: 'concat', from: ['input', 'half'] }
    ]
    expect(() => engineOf([4, 2, 3], layers)).toThrow(
      /differ in their last side only, and looks at \[4, 2, 3\] and \[2, 1, 3\]/
    )
  })
})
