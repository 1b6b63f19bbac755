import type { LayersModel, LayerVariable } from '@tensorflow/tfjs'
import { present } from '../../core/assert.ts'
import { isStarlingError, StarlingError } from '../../core/errors.ts'
import type { DataSchema } from '../data/dataset.ts'
import { createLayout, type TensorSpec } from '../layout.ts'
import { checkLayer, checkLogits, layersWithin } from './layers.ts'
import { createGraph, type Graph } from './graph.ts'
import { presetLayers } from './presets.ts'
import type { ModelSpec } from './spec.ts'
import { loadTensorFlow, type TensorFlow } from './tensorflow.ts'
import { topologyModel } from './topology.ts'
import { recordWeights, type WeightRequest } from './weights.ts'

/** A model on tfjs, with its tensors in the order of the layout. Its weights hold nothing yet. */
export interface BuiltModel {
  readonly model: LayersModel
  /** Layer by layer; the same for the same spec in every process. */
  readonly tensors: readonly TensorSpec[]
  /** The variable behind each tensor. */
  readonly variables: readonly LayerVariable[]
}

/**
 * Build a topology on the current backend, bounded before memory is taken.
 * @throws STARLING_BAD_MODEL naming the layer and what to change
 */
export async function buildModel(
  tf: TensorFlow,
  topology: object,
  data: DataSchema
): Promise<BuiltModel> {
  const requests = new Map<LayerVariable, WeightRequest>()
  try {
    const model = await recordWeights(tf, requests, () => topologyModel(tf, topology))
    checkEnds(model, data)
    for (const layer of layersWithin(model)) checkLayer(layer)
    checkLogits(model)
    return { model, ...tensorsOf(model, requests) }
  } catch (error) {
    for (const variable of requests.keys()) variable.dispose()
    if (isStarlingError(error)) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new StarlingError('STARLING_BAD_MODEL', `the model cannot be built: ${why}`)
  }
}

/**
 * The tensors of a model, as a task lists them.
 * @throws STARLING_BAD_MODEL naming the layer and what to change
 */
export async function describeModel(spec: ModelSpec, data: DataSchema): Promise<TensorSpec[]> {
  if (!('topology' in spec)) return [...graphOf(spec, data).tensors]
  const tf = await loadTensorFlow()
  await tf.setBackend('cpu')
  const { model, tensors } = await buildModel(tf, spec.topology, data)
  model.dispose()
  return [...tensors]
}

export type LayeredSpec = Exclude<ModelSpec, { topology: object }>

/** @throws STARLING_BAD_MODEL naming the layer and what to change */
export function graphOf(spec: LayeredSpec, data: DataSchema): Graph {
  return createGraph('preset' in spec ? presetLayers(spec, data) : spec.layers, data)
}

function checkEnds(model: LayersModel, data: DataSchema): void {
  const [input, ...moreInputs] = model.inputs ?? []
  const [output, ...moreOutputs] = model.outputs ?? []
  if (!input || !output || moreInputs.length > 0 || moreOutputs.length > 0) {
    throw new StarlingError(
      'STARLING_BAD_MODEL',
      'a model has one input and one output; give the first layer its batch_input_shape'
    )
  }
  requireShape(input.sourceLayer.name, 'takes', input.shape, data.shape)
  requireShape(output.sourceLayer.name, 'gives', output.shape, [data.classes])
}

function requireShape(
  layer: string,
  verb: string,
  shape: readonly (number | null)[],
  wanted: readonly number[]
): void {
  const text = (sides: readonly (number | null)[]): string => `[${sides.map(String).join(', ')}]`
  if (text(shape) !== text([null, ...wanted])) {
    throw new StarlingError(
      'STARLING_BAD_MODEL',
      `the layer '${layer}' ${verb} ${text(shape)}, the task's data needs ${text([null, ...wanted])}`
    )
  }
}

/**
 * Tensors are named by the layer of the model that holds them, however deep: names of layers inside a
 * wrapper are tfjs' own and differ from process to process.
 */
function tensorsOf(
  model: LayersModel,
  requests: ReadonlyMap<LayerVariable, WeightRequest>
): Pick<BuiltModel, 'tensors' | 'variables'> {
  const tensors = new Map<LayerVariable, TensorSpec>()
  for (const layer of model.layers) {
    const times = new Map<string, number>()
    for (const variable of layer.weights) {
      if (tensors.has(variable)) continue
      const request = present(requests.get(variable), `the request for a weight of ${layer.name}`)
      const time = (times.get(request.name) ?? 0) + 1
      times.set(request.name, time)
      const name = `${layer.name}/${request.name}${time === 1 ? '' : `_${time}`}`
      tensors.set(variable, { ...request, name: requireShort(name) })
    }
  }
  const specs = [...tensors.values()]
  createLayout(specs)
  return { tensors: specs, variables: [...tensors.keys()] }
}

function requireShort(name: string): string {
  if (name.length <= 200) return name
  throw new StarlingError('STARLING_BAD_MODEL', `the name of the layer '${name}' is too long`)
}
