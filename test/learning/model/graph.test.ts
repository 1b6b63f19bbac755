import { describe, expect, it } from 'vitest'
import { createEngine } from '../../../src/learning/engine/select.ts'
import type { PlanEngine } from '../../../src/learning/engine/plan/plan-engine.ts'
import { createGraph } from '../../../src/learning/model/graph.ts'
import { modelSchema } from '../../../src/learning/model/spec.ts'

/** What a list of layers may get wrong, and what the user is told. */

const images = { shape: [8, 8, 3], classes: 5 }
const text = { shape: [16], classes: 97, positions: 16 }
const output = { kind: 'dense', units: 5 }

function complaint(layers: readonly object[], data: typeof images | typeof text = images): string {
  const { layers: checked } = modelSchema.parse({ layers }) as { layers: [] }
  try {
    createGraph(checked, data)
  } catch (error) {
    expect(error).toMatchObject({ code: 'STARLING_BAD_MODEL' })
    return (error as Error).message
  }
  return 'nothing'
}

describe('a list of layers', () => {
  it('of a residual block is connected by names', () => {
    const block = [
      { kind: 'conv2d', name: 'first', filters: 4, kernelSize: 3, padding: 'same' },
      { kind: 'conv2d', name: 'second', filters: 4, kernelSize: 3, padding: 'same' },
      { kind: 'add', from: ['second', 'first'], activation: 'relu' },
      { kind: 'globalAveragePool2d' },
      output
    ]
    expect(complaint(block)).toBe('nothing')
  })

  it.each([
    [
      'a window larger than its input',
      [{ kind: 'conv2d', filters: 4, kernelSize: 9 }],
      /layer 0 'conv2d_1' has a window of 9 x 9, larger than its input of 8 x 8.*'same'/
    ],
    [
      'a pool larger than its input',
      [{ kind: 'maxPool2d', poolSize: [2, 9] }],
      /layer 0 'maxPool2d_1' has a window of 2 x 9/
    ],
    [
      'a convolution of what is no image',
      [{ kind: 'flatten' }, { kind: 'conv2d', name: 'eye', filters: 4, kernelSize: 3 }],
      /layer 1 'eye' needs images \[height, width, channels\], and looks at \[192\]/
    ],
    [
      'groups that do not divide',
      [{ kind: 'groupNorm', groups: 2 }],
      /layer 0 'groupNorm_1' splits 3 channels into 2 groups: use a number .* divides/
    ],
    [
      'a layer that is not there',
      [
        { kind: 'flatten', name: 'flat' },
        { ...output, from: 'flet' }
      ],
      /layer 1 'dense_1' looks at 'flet', .*: input, flat; did you mean 'flat'\?/
    ],
    [
      'itself',
      [{ kind: 'flatten' }, { ...output, name: 'scores', from: 'scores' }],
      /layer 1 'scores' looks at 'scores', but the layers before it are: input, flatten_1/
    ],
    [
      'a layer that comes later',
      [
        { kind: 'add', from: ['input', 'later'] },
        { kind: 'flatten', name: 'later' }
      ],
      /layer 0 'add_1' looks at 'later', but the layers before it are: input;/
    ],
    [
      'a name that is taken',
      [
        { kind: 'flatten', name: 'twice' },
        { ...output, name: 'twice' }
      ],
      /layer 1 'twice' has the name of another layer/
    ],
    [
      'the name of the input',
      [{ kind: 'flatten', name: 'input' }],
      /layer 0 'input' has the name of another layer/
    ],
    [
      'a sum of different shapes',
      [
        { kind: 'conv2d', name: 'eye', filters: 4, kernelSize: 1 },
        { kind: 'add', from: ['input', 'eye'] }
      ],
      /layer 1 'add_1' adds layers of one shape, and looks at \[8, 8, 3\] and \[8, 8, 4\]/
    ],
    [
      'a sum of one layer',
      [{ kind: 'add' }],
      /layer 0 'add_1' adds layers: name two or more in 'from'/
    ],
    [
      'several layers where one is looked at',
      [{ kind: 'flatten', from: ['input', 'input'] }],
      /layer 0 'flatten_1' looks at one layer, not at several/
    ],
    [
      'a last layer of another width',
      [{ kind: 'flatten' }, { kind: 'dense', units: 4 }],
      /last layer 'dense_1' gives \[4\], .* \[5\], .*: end with a dense layer of 5 units$/
    ]
  ])('with %s is refused', (_what, layers, message) => {
    expect(complaint(layers)).toMatch(message)
  })

  it('without any layer is refused', () => {
    expect(() => createGraph([], images)).toThrow('the model has no layers')
  })

  it.each([
    ['attention', { kind: 'causalSelfAttention', heads: 3 }, /'causalSelfAttention_1' has 3 heads/],
    ['a block', { kind: 'gptBlock', heads: 5 }, /'gptBlock_1\/attention' has 5 heads/]
  ])('with heads in %s that do not divide is refused', (_where, layer, message) => {
    const layers = [{ kind: 'embedding', vocabulary: 97, width: 8 }, layer]
    expect(complaint(layers, text)).toMatch(message)
    expect(complaint(layers, text)).toMatch(/do not divide the width of 8: use a number that does/)
  })

  it('without scores at every position of a text says so', () => {
    const layers = [
      { kind: 'embedding', vocabulary: 97, width: 8 },
      { kind: 'flatten' },
      { kind: 'dense', units: 97 }
    ]
    expect(complaint(layers, text)).toMatch(/\[16, 97\].* 97 units over all positions$/)
  })
})

describe('an enormous layer', () => {
  it('is refused before any memory is taken, and says how much it would be', () => {
    const layers = [{ kind: 'conv2d', name: 'wide', filters: 65_536, kernelSize: 1 }]
    const large = { shape: [64, 64, 3], classes: 5 }
    expect(complaint(layers, large)).toMatch(
      /layer 0 'wide' gives 268435456 numbers a sample \(1024 MiB\), more than 16777216: make it/
    )
  })

  it('is refused by its parameters too', () => {
    const layers = [{ kind: 'flatten' }, { kind: 'dense', name: 'wide', units: 65_536 }]
    const more = [...layers, { kind: 'dense', name: 'wider', units: 65_536 }, output]
    expect(complaint(more)).toMatch(/more than 67108864 parameters at 'wider\/kernel' \(\d+ MiB\)/)
  })

  it('that fits for one sample and not for a batch is refused when the batch comes', async () => {
    const data = { shape: [64, 64, 1], classes: 5 }
    const model = modelSchema.parse({
      layers: [
        { kind: 'conv2d', name: 'wide', filters: 4096, kernelSize: 1 },
        { kind: 'globalAveragePool2d' },
        output
      ]
    })
    const engine = (await createEngine({ model, data, backend: 'plan' })) as PlanEngine
    const parameters = new Float32Array(engine.layout.parameterCount)
    const count = 100
    const batch = {
      features: new Float32Array(count * 64 * 64),
      labels: new Uint16Array(count),
      count
    }
    const before = engine.memory.byteLength

    const train = () => engine.gradient(parameters, batch, parameters.slice(), 1)

    expect(train).toThrow(
      /needs \d+\.\d GiB of memory to train with 100 samples .*'wide' gives 64\.0 MiB for each.*4 GiB/
    )
    expect(train).toThrow(expect.objectContaining({ code: 'STARLING_BAD_MODEL' }) as Error)
    expect(engine.memory.byteLength).toBe(before)
  })
})
