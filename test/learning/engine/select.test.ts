import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import util from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEngine } from '../../../src/learning/engine/select.ts'
import { describeModel } from '../../../src/learning/model/build.ts'
import {
  data,
  models,
  relativeDifference,
  samples,
  sequential,
  output,
  someParameters
} from './models.ts'

const require = createRequire(import.meta.url)
const model = models.mlp ?? { preset: 'logreg' }

describe('createEngine', () => {
  let home: string
  let resolveFrom: string
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'starling-engine-'))
    resolveFrom = join(home, 'index.js')
  })
  afterEach(() => rmSync(home, { recursive: true }))

  /** A package that a user could have installed as tfjs-node, with this code in it. */
  function installTfjsNode(code: string): void {
    const folder = join(home, 'node_modules/@tensorflow/tfjs-node')
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'index.js'), code)
  }

  it('takes wasm where tfjs-node is not installed, and says so', async () => {
    const engine = await createEngine({ model, data, resolveFrom })

    expect(engine.backend).toBe('wasm')
    expect(engine.reason).toBe('WebAssembly with SIMD; @tensorflow/tfjs-node is not installed')
    engine.dispose()
  })

  it('goes on with wasm where tfjs-node is installed but does not load', async () => {
    installTfjsNode(`throw new Error('the native addon module can not be found\\nat length')`)

    const engine = await createEngine({ model, data, resolveFrom })

    expect(engine.backend).toBe('wasm')
    expect(engine.reason).toContain('installed but does not load (Error: the native addon module')
    expect(engine.reason).not.toContain('\n')
    engine.dispose()
  })

  it('goes on with wasm where tfjs-node brought a tfjs of its own', async () => {
    installTfjsNode('')

    const engine = await createEngine({ model, data, resolveFrom })

    expect(engine.backend).toBe('wasm')
    expect(engine.reason).toContain('with another copy of tfjs: install version 4.22')
    engine.dispose()
  })

  it('takes tfjs-node where it loads, and gives it back what newer Nodes removed', async () => {
    const legacy = util as unknown as Record<string, unknown>
    delete legacy.isNullOrUndefined
    delete legacy.isArray
    // The parts of the real one that matter here: it calls node:util as it loads, and registers a
    // backend with the tfjs that it finds.
    installTfjsNode(`
      const util = require('node:util')
      if (!util.isNullOrUndefined(null) || util.isNullOrUndefined(0)) throw new Error('no isNullOrUndefined')
      if (!util.isArray([]) || util.isArray({})) throw new Error('no isArray')
      const tf = require(${JSON.stringify(require.resolve('@tensorflow/tfjs'))})
      const Backend = tf.findBackend('cpu').constructor
      tf.registerBackend('tensorflow', () => new Backend(), 3)
      tf.copyRegisteredKernels('cpu', 'tensorflow')
    `)

    const native = await createEngine({ model, data, resolveFrom })
    const wasm = await createEngine({ model, data, backend: 'wasm' })

    expect(native.backend).toBe('node')
    expect(native.reason).toContain('tfjs-node is installed')
    const [ours, theirs] = [wasm, native].map((engine) => {
      const parameters = someParameters(engine.layout)
      const gradient = new Float32Array(parameters.length)
      engine.gradient(parameters, samples(4), gradient, 1)
      return gradient
    }) as [Float32Array, Float32Array]
    expect(relativeDifference(theirs, ours)).toBeLessThan(1e-4)
    native.dispose()
    wasm.dispose()
  })

  it('does not go on with another backend than the one asked for', async () => {
    // Another test of this file may have registered the backend by now, but the package is not here.
    await expect(createEngine({ model, data, resolveFrom, backend: 'node' })).rejects.toMatchObject(
      {
        code: 'STARLING_BACKEND_UNAVAILABLE',
        message: expect.stringContaining('tfjs-node is not installed') as string
      }
    )
  })

  it('says what is wrong with a model that no backend can train', async () => {
    const dilated = sequential(
      ['Conv2D', { filters: 2, kernel_size: [2, 2], dilation_rate: [2, 2] }],
      ['Flatten', {}],
      output
    )

    await expect(createEngine({ model: dilated, data, resolveFrom })).rejects.toMatchObject({
      code: 'STARLING_BAD_MODEL',
      message: expect.stringContaining('dilation') as string
    })
  })

  it('takes the tensors of a task that has the same, and names the first that differs', async () => {
    const tensors = await describeModel(model, data)
    const engine = await createEngine({ model, data, tensors, resolveFrom })
    expect(engine.layout.tensors.map(({ name }) => name)).toEqual(tensors.map(({ name }) => name))
    engine.dispose()

    const other = tensors.map((tensor, index) => (index === 2 ? { ...tensor, shape: [9] } : tensor))
    await expect(createEngine({ model, data, tensors: other, resolveFrom })).rejects.toMatchObject({
      code: 'STARLING_BAD_TASK',
      message:
        'tensor 2 of the task is dense_2/kernel [9] (weight), but its model has dense_2/kernel [7, 5] (weight) there'
    })
    await expect(
      createEngine({ model, data, tensors: tensors.slice(0, 5), resolveFrom })
    ).rejects.toThrow(
      'tensor 5 of the task is nothing, but its model has output/bias [3] (bias) there'
    )
  })
})
