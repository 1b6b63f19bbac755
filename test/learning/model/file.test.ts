import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { modelFileBytesMax } from '../../../src/core/limits.ts'
import { describeModel } from '../../../src/learning/model/build.ts'
import { readModelFile } from '../../../src/learning/model/file.ts'

let directory = ''
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'starling-model-'))
})
afterAll(() => rmSync(directory, { recursive: true }))

const save = (content: unknown): string => {
  const path = join(directory, 'model')
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}
const read = (content: unknown) => readModelFile(save(content))

const layers = [{ kind: 'flatten' }, { kind: 'dense', units: 3 }]

describe('a model in a file', () => {
  it.each([
    ['a list of layers', layers],
    ['a list of layers in YAML', '- { kind: flatten }\n- kind: dense\n  units: 3\n'],
    ['what a task says', { layers }]
  ])('is %s', (_what, content) => {
    expect(read(content)).toEqual({ layers })
  })

  it.each([
    ['by itself', { class_name: 'Sequential', config: {} }],
    ['in a saved model', { modelTopology: { class_name: 'Sequential' }, weightsManifest: [] }],
    ['of Keras', { model_config: { class_name: 'Sequential' } }]
  ])('is a tfjs-layers topology %s', (_where, topology) => {
    expect(read(topology)).toEqual({ topology })
  })

  it('is the example that ships, and it fits the glyphs', async () => {
    const example = resolve(import.meta.dirname, '../../../examples/models/residual.json')
    const tensors = await describeModel(readModelFile(example), { shape: [28, 28, 1], classes: 10 })
    expect(tensors.at(-1)).toMatchObject({ name: 'output/bias', shape: [10] })
  })

  it.each([
    ['an unknown kind', [{ kind: 'dens' }], /layers\.0\.kind: .*'dens'; did you mean 'dense'\?/],
    ['no kind', [...layers, { units: 3 }], /layers\.2\.kind: missing\. Known: .*conv2d/],
    ['an unknown key', [{ kind: 'flatten', unitz: 3 }], /layers\.0: .*'unitz'.* Known: kind, name/],
    ['no units', [{ kind: 'dense', units: 0 }], /layers\.0\.units: Too small.*>=1/],
    ['too many units', [{ kind: 'dense', units: 65_537 }], /layers\.0\.units: Too big.*<=65536/],
    [
      'strides of zero',
      [{ kind: 'conv2d', filters: 1, kernelSize: 3, strides: [1, 0] }],
      /layers\.0\.strides\.1: Too small.*>=1/
    ],
    [
      'a window of one side',
      [{ kind: 'maxPool2d', poolSize: [2] }],
      /layers\.0\.poolSize: Too small.*>=2 items/
    ],
    [
      'an unknown initialiser',
      [{ kind: 'dense', units: 3, initialiser: 'hee' }],
      /layers\.0\.initialiser: .*'hee'; did you mean 'he'\?/
    ],
    ['no layers', [], /layers: Too small/],
    ['no list', { layers: 3 }, /layers: .*expected array/],
    ['an unknown key beside', { layerz: [] }, /'layerz'; did you mean 'layers'\? Known: preset/],
    ['a plain word', 'dense', /holds no model: a list of layers/],
    ['no JSON', '[{ kind: ', /is neither JSON nor YAML/]
  ])('with %s is refused by its place', (_what, content, message) => {
    expect(() => read(content)).toThrow(message)
    expect(() => read(content)).toThrow(
      expect.objectContaining({ code: 'STARLING_BAD_MODEL' }) as Error
    )
  })

  it('that is not there, or too large, is refused by its name', () => {
    expect(() => readModelFile(join(directory, 'none'))).toThrow(/model file .*none cannot be read/)
    expect(() => read('x'.repeat(modelFileBytesMax + 1))).toThrow(
      `has ${modelFileBytesMax + 1} bytes, more than ${modelFileBytesMax}`
    )
  })
})
