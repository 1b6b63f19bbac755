import { StarlingError } from '../../core/errors.ts'
import { sampleSize, type DataSchema } from '../data/dataset.ts'
import { createLayout, type TensorSpec } from '../layout.ts'
import { buildModel, graphOf } from '../model/build.ts'
import type { ModelSpec } from '../model/spec.ts'
import { loadTensorFlow, type TensorFlow } from '../model/tensorflow.ts'
import type { LossKind } from '../training.ts'
import type { Engine } from './engine.ts'
import { PlanEngine } from './plan/plan-engine.ts'
import { loadTfjsNode } from './tfjs-node.ts'
import { TfjsGraph } from './tfjs-graph.ts'
import { TfjsLayers } from './tfjs-layers.ts'
import type { TfjsModel } from './tfjs-model.ts'
import { TfjsEngine } from './tfjs.ts'
import { prepareWasm } from './wasm.ts'

/** Fastest first. */
const tfjsNames = ['node', 'wasm', 'cpu'] as const
export const backendNames = ['plan', ...tfjsNames] as const
export type BackendName = (typeof backendNames)[number]
type TfjsName = (typeof tfjsNames)[number]

export interface EngineOptions {
  readonly model: ModelSpec
  readonly data: DataSchema
  /** `auto`: the first of `backendNames` that is there and can train the model. */
  readonly backend?: 'auto' | BackendName
  /** The tensors that the task lists; the model must have these. */
  readonly tensors?: readonly TensorSpec[]
  /** What training makes small; by default softmax-cross-entropy. */
  readonly loss?: LossKind | undefined
  /** Let own kernels round as the machine likes best: faster, not the same bits everywhere. */
  readonly fastMath?: boolean
  /** File or URL from whose place tfjs-node is looked up. */
  readonly resolveFrom?: string
}

/**
 * Build a model on the fastest backend that can train it.
 *
 * @throws STARLING_BAD_MODEL when the model cannot be built or trained at all
 * @throws STARLING_BAD_TASK when its tensors are not those of the task
 * @throws STARLING_BACKEND_UNAVAILABLE when the wanted backend is not there or cannot train it
 */
export async function createEngine(options: EngineOptions): Promise<Engine> {
  const { backend = 'auto', resolveFrom = import.meta.url } = options
  if (backend === 'auto' || backend === 'plan') {
    const engine = planned(options, backend)
    if (engine !== undefined) return engine
  }
  const tf = await loadTensorFlow()
  const setbacks: string[] = []
  for (const name of backend === 'auto' || backend === 'plan' ? tfjsNames : [backend]) {
    const setback = await startBackend(tf, name, resolveFrom)
    if (setback !== undefined) {
      setbacks.push(setback)
      continue
    }
    const reason = [backend === 'auto' ? reasons[name] : 'as asked', ...setbacks].join('; ')
    const engine = await engineOn(tf, name, reason, options)
    const failure = firstFailure(engine, options.data)
    if (failure === undefined) return engine
    engine.dispose()
    if (name === 'cpu') {
      throw new StarlingError('STARLING_BAD_MODEL', `the model cannot be trained: ${failure}`)
    }
    setbacks.push(`${name} cannot train this model (${failure})`)
  }
  throw new StarlingError(
    'STARLING_BACKEND_UNAVAILABLE',
    `the backend '${backend}' cannot be used: ${setbacks.join('; ')}; try 'auto'`
  )
}

/** Our own engine, if it knows all of the model's layers. */
function planned(options: EngineOptions, backend: string): Engine | undefined {
  const { model, data, tensors, loss = 'softmax-cross-entropy', fastMath = false } = options
  const graph = graphOf(model, data)
  if (graph === undefined) {
    if (backend === 'auto') return undefined
    throw new StarlingError(
      'STARLING_BACKEND_UNAVAILABLE',
      "the backend 'plan' does not run tfjs topologies: use 'auto'"
    )
  }
  if (tensors) requireSame(tensors, graph.tensors)
  const reason = fastMath
    ? 'own kernels, WebAssembly with relaxed SIMD'
    : 'own kernels, WebAssembly with SIMD'
  return new PlanEngine({
    ...{ graph, data, loss, fastMath, reason },
    tensors: tensors ?? graph.tensors
  })
}

const tfjsBackends: Record<TfjsName, string> = { node: 'tensorflow', wasm: 'wasm', cpu: 'cpu' }

const reasons: Record<TfjsName, string> = {
  node: 'native, @tensorflow/tfjs-node is installed',
  wasm: 'WebAssembly with SIMD',
  cpu: 'plain JavaScript, slow'
}

/** @returns why it cannot be used, or undefined once tfjs is on it */
async function startBackend(
  tf: TensorFlow,
  name: TfjsName,
  resolveFrom: string
): Promise<string | undefined> {
  try {
    if (name === 'node') {
      const setback = loadTfjsNode(tf, resolveFrom)
      if (setback !== undefined) return setback
    }
    if (name === 'wasm') await prepareWasm(tf)
    return (await tf.setBackend(tfjsBackends[name])) ? undefined : `${name} does not start`
  } catch (error) {
    return `${name} does not start (${String(error)})`
  }
}

async function engineOn(
  tf: TensorFlow,
  backend: TfjsName,
  reason: string,
  { model, data, tensors }: EngineOptions
): Promise<Engine> {
  const { built, made } = await tfjsModelOf(tf, model, data)
  try {
    if (tensors) requireSame(tensors, made)
  } catch (error) {
    built.dispose()
    throw error
  }
  const layout = createLayout(tensors ?? made)
  const tfjsBackend = tfjsBackends[backend]
  return new TfjsEngine(tf, built, { backend, tfjsBackend, reason, data, layout })
}

async function tfjsModelOf(
  tf: TensorFlow,
  spec: ModelSpec,
  data: DataSchema
): Promise<{ built: TfjsModel; made: readonly TensorSpec[] }> {
  const graph = graphOf(spec, data)
  if (graph !== undefined) return { built: new TfjsGraph(tf, graph), made: graph.tensors }
  const layers = await buildModel(tf, spec, data)
  return { built: new TfjsLayers(layers), made: layers.tensors }
}

function requireSame(listed: readonly TensorSpec[], built: readonly TensorSpec[]): void {
  const line = (tensor: TensorSpec | undefined): string =>
    tensor ? `${tensor.name} [${tensor.shape.join(', ')}] (${tensor.role})` : 'nothing'
  for (let index = 0; index < Math.max(listed.length, built.length); index++) {
    const [wanted, made] = [line(listed[index]), line(built[index])]
    if (wanted !== made) {
      throw new StarlingError(
        'STARLING_BAD_TASK',
        `tensor ${index} of the task is ${wanted}, but its model has ${made} there`
      )
    }
  }
}

/** Train one step on one sample of zeros: a backend without the kernels shows it here. */
function firstFailure(engine: Engine, data: DataSchema): string | undefined {
  const { parameterCount } = engine.layout
  const features = new Float32Array(sampleSize(data))
  const sample = { features, labels: new Uint16Array(1), count: 1 }
  try {
    engine.gradient(new Float32Array(parameterCount), sample, new Float32Array(parameterCount), 0)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
