import { StarlingError } from '../../core/errors.ts'
import { sampleSize, type DataSchema } from '../data/dataset.ts'
import { createLayout, type TensorSpec } from '../layout.ts'
import { buildModel, graphOf } from '../model/build.ts'
import type { ModelSpec } from '../model/spec.ts'
import { loadTensorFlow, type TensorFlow } from '../model/tensorflow.ts'
import type { LossKind } from '../training.ts'
import { tfjsNames, type BackendName, type TfjsName } from './backend-names.ts'
import type { Engine } from './engine.ts'
import { PlanEngine } from './plan/plan-engine.ts'
import { startTfjs, tfjsBackends, tfjsCandidates, tfjsReasons } from './tfjs-backends.ts'
import { TfjsGraph } from './tfjs-graph.ts'
import { TfjsLayers } from './tfjs-layers.ts'
import type { TfjsModel } from './tfjs-model.ts'
import { TfjsEngine } from './tfjs.ts'

export { backendNames, type BackendName } from './backend-names.ts'

export interface EngineOptions {
  readonly model: ModelSpec
  readonly data: DataSchema
  /** `auto`: `plan` if it knows all layers of the model, else `tfjs`. */
  readonly backend?: 'auto' | BackendName
  /** The tensors that the task lists; the model must have these. */
  readonly tensors?: readonly TensorSpec[]
  /** What training makes small; by default softmax-cross-entropy. */
  readonly loss?: LossKind | undefined
  /** Let own kernels round as the machine likes best: faster, not the same bits everywhere. */
  readonly fastMath?: boolean
  /** File or URL from whose place tfjs-node and webgpu are looked up. */
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
  const { backend = 'auto', model } = options
  const isPlanned = backend === 'plan' || (backend === 'auto' && !('topology' in model))
  return isPlanned ? planEngine(options) : await tfjsEngine(options)
}

function planEngine(options: EngineOptions): Engine {
  const { model, data, tensors, loss = 'softmax-cross-entropy', fastMath = false } = options
  if ('topology' in model) {
    throw new StarlingError(
      'STARLING_BACKEND_UNAVAILABLE',
      "the backend 'plan' does not run tfjs topologies: use 'auto'"
    )
  }
  const graph = graphOf(model, data)
  if (tensors) requireSame(tensors, graph.tensors)
  return new PlanEngine({
    ...{ graph, data, loss, fastMath },
    tensors: tensors ?? graph.tensors
  })
}

async function tfjsEngine(options: EngineOptions): Promise<Engine> {
  const { backend = 'auto', resolveFrom = import.meta.url } = options
  const tf = await loadTensorFlow()
  const wanted = tfjsNames.find((name) => name === backend)
  const setbacks: string[] = []
  for (const name of wanted ? [wanted] : tfjsCandidates(resolveFrom)) {
    const setback = await startTfjs(tf, name, resolveFrom)
    if (setback !== undefined) {
      setbacks.push(setback)
      continue
    }
    const reason = [wanted ? 'as asked' : tfjsReasons[name], ...setbacks].join('; ')
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

async function engineOn(
  tf: TensorFlow,
  backend: TfjsName,
  reason: string,
  { model: spec, data, tensors: listed, loss = 'softmax-cross-entropy' }: EngineOptions
): Promise<Engine> {
  const { model, tensors } = await tfjsModelOf(tf, spec, data)
  try {
    if (listed) requireSame(listed, tensors)
  } catch (error) {
    model.dispose()
    throw error
  }
  const layout = createLayout(listed ?? tensors)
  const tfjsBackend = tfjsBackends[backend]
  return new TfjsEngine(tf, model, { backend, tfjsBackend, reason, data, layout, loss })
}

async function tfjsModelOf(
  tf: TensorFlow,
  spec: ModelSpec,
  data: DataSchema
): Promise<{ model: TfjsModel; tensors: readonly TensorSpec[] }> {
  if ('topology' in spec) {
    const built = await buildModel(tf, spec.topology, data)
    return { model: new TfjsLayers(tf, built), tensors: built.tensors }
  }
  const graph = graphOf(spec, data)
  return { model: new TfjsGraph(tf, graph), tensors: graph.tensors }
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
  const sample = { features, labels: new Uint16Array(data.positions ?? 1), count: 1 }
  try {
    engine.gradient(new Float32Array(parameterCount), sample, new Float32Array(parameterCount), 0)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
