import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import util from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createEngine } from '../../../src/learning/engine/select.ts'
import { describeModel } from '../../../src/learning/model/build.ts'
import type { ModelSpec } from '../../../src/learning/model/spec.ts'
import {
  data,
  models,
  relativeDifference,
  samples,
  normalised,
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

  /** A package that a user could have installed, with this code in it. */
  function install(name: string, code: string): void {
    const folder = join(home, 'node_modules', name)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'index.js'), code)
  }
  const installTfjsNode = (code: string): void => install('@tensorflow/tfjs-node', code)

  it.each([
    ['a preset', model],
    ['a list of layers', { layers: [{ kind: 'flatten' }, { kind: 'dense', units: 3 }] } as const]
  ])('takes our own engine for %s', async (_what, spec) => {
    const engine = await createEngine({ model: spec as ModelSpec, data, resolveFrom })

    expect([engine.backend, engine.reason]).toEqual(['plan', 'own kernels, WebAssembly with SIMD'])
    engine.dispose()
  })

  it('takes TensorFlow.js for a topology, which our own engine refuses', async () => {
    const engine = await createEngine({ model: normalised, data, resolveFrom })
    expect(engine.backend).toBe('wasm')
    engine.dispose()

    await expect(createEngine({ model: normalised, data, backend: 'plan' })).rejects.toMatchObject({
      code: 'STARLING_BACKEND_UNAVAILABLE',
      message: expect.stringContaining("use 'auto'") as string
    })
  })

  it('takes wasm where tfjs-node is not installed, and says so', async () => {
    const engine = await createEngine({ model, data, resolveFrom, backend: 'tfjs' })

    expect(engine.backend).toBe('wasm')
    expect(engine.reason).toBe(
      'TensorFlow.js, WebAssembly with SIMD; @tensorflow/tfjs-node is not installed'
    )
    engine.dispose()
  })

  it('goes on with wasm where tfjs-node is installed but does not load', async () => {
    installTfjsNode(`throw new Error('the native addon module can not be found\\nat length')`)

    const engine = await createEngine({ model, data, resolveFrom, backend: 'tfjs' })

    expect(engine.backend).toBe('wasm')
    expect(engine.reason).toContain('installed but does not load (Error: the native addon module')
    expect(engine.reason).not.toContain('\n')
    engine.dispose()
  })

  it('goes on with wasm where tfjs-node brought a tfjs of its own', async () => {
    installTfjsNode('')

    const engine = await createEngine({ model, data, resolveFrom, backend: 'tfjs' })

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

    const native = await createEngine({ model, data, resolveFrom, backend: 'tfjs' })
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

  describe('with webgpu', () => {
    const backendPackage = '@tensorflow/tfjs-backend-webgpu'
    /** What stands in for Dawn: a graphics card, or none. */
    const dawn = (adapter: string): string => `
      exports.globals = { GPUBufferUsage: {} }
      exports.create = () => ({ requestAdapter: async () => (${adapter}) })`
    /** The kernels of the backend `cpu`, where this says how results are read. */
    const kernels = (readSync: string): string => `
      const tf = require(${JSON.stringify(require.resolve('@tensorflow/tfjs'))})
      if (navigator.gpu === undefined) throw new Error('the graphics card is not there yet')
      if (tf.findBackendFactory('webgpu')) tf.removeBackend('webgpu')
      tf.registerBackend('webgpu', () => {
        const backend = new (tf.findBackend('cpu').constructor)()
        const read = backend.readSync.bind(backend)
        backend.readSync = ${readSync}
        return backend
      })
      if (!tf.getKernel('Add', 'webgpu')) tf.copyRegisteredKernels('cpu', 'webgpu')`
    // As the real one does for more than a few numbers: there is no OffscreenCanvas in Node.js.
    const readOnCanvas = '(id) => { new OffscreenCanvas(1, 1); return read(id) }'

    it.each([
      ['is not there', undefined, undefined, 'webgpu is not installed'],
      ['has no kernels', dawn('{}'), undefined, `${backendPackage} is not installed`],
      ['finds no graphics card', dawn('null'), kernels('read'), 'webgpu finds no graphics card'],
      [
        'does not load',
        "throw new Error('no libvulkan')",
        kernels('read'),
        'does not load (Error: no libvulkan)'
      ],
      ['answers later only', dawn('{}'), kernels(readOnCanvas), 'does not give results at once']
    ])('that %s, refuses it by name and goes on without', async (_what, gpu, code, why) => {
      if (gpu !== undefined) install('webgpu', gpu)
      if (code !== undefined) install(backendPackage, code)

      await expect(
        createEngine({ model, data, resolveFrom, backend: 'webgpu' })
      ).rejects.toMatchObject({
        code: 'STARLING_BACKEND_UNAVAILABLE',
        message: expect.stringContaining(why) as string
      })
      const engine = await createEngine({ model, data, resolveFrom, backend: 'tfjs' })
      expect(engine.backend).toBe('wasm')
      // Who has not installed both does not want it, and is not told.
      if (gpu !== undefined && code !== undefined) expect(engine.reason).toContain(why)
      else expect(engine.reason).not.toContain('webgpu')
      expect('gpu' in navigator).toBe(false)
      engine.dispose()
    })

    it('that answers at once, takes it', async () => {
      install('webgpu', dawn('{}'))
      install(backendPackage, kernels('read'))

      const engine = await createEngine({ model, data, resolveFrom, backend: 'webgpu' })

      expect(engine.backend).toBe('webgpu')
      const scores = engine.logits(someParameters(engine.layout), samples(2))
      expect(scores.every(Number.isFinite)).toBe(true)
      engine.dispose()
    })
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
