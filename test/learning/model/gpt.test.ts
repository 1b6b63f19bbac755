import { describe, expect, it } from 'vitest'
import type { DataSchema } from '../../../src/learning/data/dataset.ts'
import { describeModel, graphOf } from '../../../src/learning/model/build.ts'
import { createGraph } from '../../../src/learning/model/graph.ts'
import { presetSchema } from '../../../src/learning/model/spec.ts'

const features: DataSchema = { shape: [5, 4], classes: 4, positions: 5 }
const text: DataSchema = { shape: [128], classes: 97, positions: 128 }

describe('a block of GPT', () => {
  it('is plain layers, the last of which has its name', () => {
    const { nodes } = createGraph([{ kind: 'gptBlock', heads: 2, dropout: 0.1 }], features)

    expect(nodes.map(({ name, inputs, shape }) => [name, inputs, shape])).toEqual([
      ['gptBlock_1/attention_norm', [-1], [5, 4]],
      ['gptBlock_1/attention', [0], [5, 4]],
      ['gptBlock_1/attention_dropout', [1], [5, 4]],
      ['gptBlock_1/attention_sum', [-1, 2], [5, 4]],
      ['gptBlock_1/dense_norm', [3], [5, 4]],
      ['gptBlock_1/widen', [4], [5, 16]],
      ['gptBlock_1/narrow', [5], [5, 4]],
      ['gptBlock_1/dense_dropout', [6], [5, 4]],
      ['gptBlock_1', [3, 7], [5, 4]]
    ])
  })

  it('can be looked at, and looks where it is told to', () => {
    const { nodes } = createGraph(
      [
        { kind: 'dense', name: 'first', units: 4 },
        { kind: 'dense', name: 'other', units: 4 },
        { kind: 'gptBlock', name: 'block', from: 'first', heads: 1 },
        { kind: 'add', from: ['other', 'block'] }
      ],
      features
    )

    const place = (name: string): number => nodes.findIndex((node) => node.name === name)
    expect(nodes[place('block/attention_norm')]?.inputs).toEqual([place('first')])
    expect(nodes[place('block/attention_sum')]?.inputs[0]).toBe(place('first'))
    expect(nodes.at(-1)?.inputs).toEqual([place('other'), place('block')])
  })

  it('adds less to the sum, the more blocks there are', () => {
    const block = { kind: 'gptBlock', heads: 2 } as const
    const { tensors } = createGraph([block, block], features)

    const deviation = (name: string): unknown =>
      tensors.find((tensor) => tensor.name === `gptBlock_2/${name}`)?.initialiser
    for (const name of ['attention/qkv_kernel', 'widen/kernel']) {
      expect(deviation(name)).toEqual({ kind: 'normal', deviation: 0.02 })
    }
    for (const name of ['attention/output_kernel', 'narrow/kernel']) {
      expect(deviation(name)).toEqual({ kind: 'normal', deviation: 0.01 }) // 0.02 / √(2 · 2)
    }
  })

  it('looks at one layer that is there', () => {
    const block = { kind: 'gptBlock', heads: 1 } as const
    expect(() => createGraph([{ ...block, from: ['input', 'input'] }], features)).toThrow(
      "the layer 0 'gptBlock_1' looks at one layer, not at several"
    )
    expect(() => createGraph([{ ...block, from: 'there' }], features)).toThrow(
      "the layer 0 'gptBlock_1' looks at 'there', but the layers before it are: input"
    )
  })
})

describe('the preset chargpt', () => {
  it('is by default a GPT of 4 layers, 4 heads and width 128', async () => {
    const tensors = await describeModel(presetSchema.parse({ preset: 'chargpt' }), text)

    const count = tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0)
    const block = 12 * 128 ** 2 + 13 * 128
    expect(count).toBe((97 + 128) * 128 + 4 * block + 2 * 128 + 129 * 97)
  })

  it('has the heads, layers and dropout that it is asked for', () => {
    const spec = { preset: 'chargpt', layers: 2, width: 6, heads: 3, dropout: 0.2 } as const
    const graph = graphOf(spec, text)

    expect(graph?.nodes.filter(({ spec }) => spec.kind === 'dropout')).toHaveLength(5)
    expect(graph?.draws).toBe(true)
    expect(graph?.indexBound).toBe(97)
    expect(graph?.outputShape).toEqual([128, 97])
  })

  it('is for text with a label at every position', () => {
    const spec = presetSchema.parse({ preset: 'chargpt' })
    const message =
      "a 'chargpt' needs text, samples [positions] with a label at each, and the data is "
    expect(() => graphOf(spec, { shape: [128], classes: 97 })).toThrow(
      `${message}[128] with 1 labels`
    )
    expect(() => graphOf(spec, { shape: [28, 28, 1], classes: 10 })).toThrow(message)
  })
})
