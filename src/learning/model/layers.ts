import type { LayersModel, layers } from '@tensorflow/tfjs'
import { StarlingError } from '../../core/errors.ts'
import { activationsMax } from '../../core/limits.ts'

type Layer = layers.Layer

/** A layer, and where it has them, the layers inside of it (nested models, wrappers, cells). */
export function* layersWithin(layer: Layer): Generator<Layer> {
  yield layer
  const {
    layers = [],
    layer: wrapped,
    forwardLayer,
    backwardLayer,
    cell,
    cells = []
  } = parts(layer)
  for (const inner of [...layers, forwardLayer ?? wrapped, backwardLayer, cell, ...cells]) {
    if (inner !== undefined) yield* layersWithin(inner)
  }
}

/** Layers that draw random numbers which cannot be seeded. */
const unseededLayers = new Set([
  'AlphaDropout',
  'GaussianDropout',
  'GaussianNoise',
  'RandomHeight',
  'RandomWidth',
  'SpatialDropout1D'
])

/**
 * Refuse what would train otherwise than the topology says, or not the same way twice.
 * @throws STARLING_BAD_MODEL naming the layer and what to change
 */
export function checkLayer(layer: Layer): void {
  const className = layer.getClassName()
  const { dropout, recurrentDropout } = parts(layer)
  if (unseededLayers.has(className)) {
    throw refusal(layer, `is a ${className}, which draws unseeded random numbers: use Dropout`)
  }
  if (className !== 'Dropout' && (positive(dropout) || positive(recurrentDropout))) {
    throw refusal(layer, 'drops out inside its recurrence, unseeded: use Dropout layers around it')
  }
  for (const { outputShapes } of layer.inboundNodes) {
    const shapes = outputShapes.some(Array.isArray) ? outputShapes : [outputShapes]
    for (const shape of shapes as (number | null)[][]) {
      const size = shape.slice(1).reduce<number>((product, side) => product * (side ?? 1), 1)
      if (!(size <= activationsMax)) {
        throw refusal(layer, `gives ${size} numbers a sample, more than ${activationsMax}`)
      }
    }
  }
}

/** @throws STARLING_BAD_MODEL when the model ends in probabilities instead of scores */
export function checkLogits(model: LayersModel): void {
  const last = lastLayer(model)
  if (last.getClassName() === 'Softmax' || last.getConfig().activation === 'softmax') {
    throw refusal(
      last,
      "ends the model in a softmax, which the loss applies itself: remove it ('linear')"
    )
  }
}

function lastLayer(model: LayersModel): Layer {
  const source = model.outputs[0]?.sourceLayer as Layer
  return 'outputs' in source ? lastLayer(source as LayersModel) : source
}

/** tfjs-layers keeps these without declaring them. */
interface LayerParts {
  readonly layers?: readonly Layer[]
  readonly layer?: Layer
  readonly forwardLayer?: Layer
  readonly backwardLayer?: Layer
  readonly cell?: Layer
  readonly cells?: readonly Layer[]
  readonly dropout?: unknown
  readonly recurrentDropout?: unknown
}

function parts(layer: Layer): LayerParts {
  return layer as unknown as LayerParts
}

function positive(rate: unknown): boolean {
  return typeof rate === 'number' && rate > 0
}

function refusal(layer: Layer, why: string): StarlingError {
  return new StarlingError('STARLING_BAD_MODEL', `the layer '${layer.name}' ${why}`)
}
