import type { LayersModel, ModelAndWeightsConfig } from '@tensorflow/tfjs'
import { StarlingError } from '../../core/errors.ts'
import type { TensorFlow } from './tensorflow.ts'

/**
 * Start building a model from a topology as people export it: `{class_name, config}` by itself, or
 * under `modelTopology` (a saved `model.json`) or `model_config` (a whole Keras model).
 *
 * Only these two keys reach tfjs: anything beside them, such as a manifest of weights, could make it
 * load files. All weights are made before this returns; the promise adds nothing but its type.
 *
 * @throws STARLING_BAD_MODEL when there is no topology in it
 */
export function topologyModel(tf: TensorFlow, topology: unknown): Promise<LayersModel> {
  const { class_name, config } = unwrapped(topology)
  const modelTopology = { class_name, config: withLayerNames(config) } as Topology
  return tf.models.modelFromJSON({ modelTopology })
}

type Topology = ModelAndWeightsConfig['modelTopology']

interface Exported {
  class_name: string
  config: object
}

function unwrapped(exported: unknown): Exported {
  let topology = exported
  for (const wrapper of ['modelTopology', 'model_config']) {
    if (isRecord(topology) && wrapper in topology) topology = topology[wrapper]
  }
  if (
    !isRecord(topology) ||
    typeof topology.class_name !== 'string' ||
    !isObject(topology.config)
  ) {
    throw new StarlingError(
      'STARLING_BAD_MODEL',
      "the topology has no 'class_name' and 'config': export it with model.toJSON(null, false)"
    )
  }
  return { class_name: topology.class_name, config: topology.config }
}

/**
 * Name the layers of a Sequential that have none, by class and place: tfjs would number them by how
 * many it has made in this process, and tensors are known by these names.
 */
function withLayerNames(config: object): object {
  if (Array.isArray(config)) return config.map(named)
  if (!isRecord(config) || !Array.isArray(config.layers)) return config
  return { ...config, layers: config.layers.map(named) }
}

function named(layer: unknown, place: number): unknown {
  if (!isRecord(layer) || !isRecord(layer.config) || 'name' in layer.config) return layer
  const name = `${String(layer.class_name).toLowerCase()}_${place}`
  return { ...layer, config: { ...layer.config, name } }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return isObject(value) && !Array.isArray(value)
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
