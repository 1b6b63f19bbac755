import type { LayerVariable, layers, serialization } from '@tensorflow/tfjs'
import { StarlingError } from '../../core/errors.ts'
import { parametersMax, tensorsMax } from '../../core/limits.ts'
import type { TensorRole, TensorSpec } from '../layout.ts'
import { resolveInitialiser } from './initialiser.ts'
import type { TensorFlow } from './tensorflow.ts'

/** What a layer asked for when it made a weight. */
export type WeightRequest = Omit<TensorSpec, 'name'> & {
  /** Its name in the layer, such as `kernel`. */
  readonly name: string
}

interface AddWeight {
  addWeight: (
    this: layers.Layer,
    name: string,
    shape: (number | null)[],
    dtype: string | undefined,
    initializer: serialization.Serializable,
    regularizer: unknown,
    trainable: boolean | undefined,
    constraint: unknown
  ) => LayerVariable
}

/**
 * Build layers and note each weight that they ask for.
 *
 * For as long as `build` runs (it is synchronous), every layer's way to make a weight goes through
 * here: the size is checked before memory is taken, which a topology from the network could otherwise
 * exhaust, and the weight is filled with zeros instead of unseeded random numbers, since first
 * parameters are drawn from the layout.
 *
 * @param requests - receives the weights made, also those before an error
 * @throws STARLING_BAD_MODEL naming the layer, for a weight that is too large or cannot be honoured
 */
export function recordWeights<T>(
  tf: TensorFlow,
  requests: Map<LayerVariable, WeightRequest>,
  build: () => T
): T {
  const prototype = tf.layers.Layer.prototype as unknown as AddWeight
  const original = prototype.addWeight
  const zeros = tf.initializers.zeros()
  let parameterCount = 0

  prototype.addWeight = function (
    name,
    shape,
    dtype,
    initializer,
    regularizer,
    trainable,
    constraint
  ) {
    const refuse = refusal(this.name, name)
    if (!isConcrete(shape)) throw refuse(`has the shape [${shape.join(', ')}]`)
    parameterCount += shape.reduce((product, side) => product * side, 1)
    if (parameterCount > parametersMax) {
      throw refuse(`takes the model over ${parametersMax} parameters`)
    }
    if (requests.size >= tensorsMax) throw refuse(`takes the model over ${tensorsMax} tensors`)
    if (dtype !== undefined && dtype !== null && dtype !== 'float32') {
      throw refuse(`is of type '${dtype}': only float32 is trained`)
    }
    if (regularizer) throw refuse('has a regulariser, which is not applied here: remove it')
    if (constraint) throw refuse('has a constraint, which is not applied here: remove it')
    const role = roles[name]
    if (role === undefined) throw refuse('is of an unknown kind, so that merging it is undefined')
    const className = initializer.getClassName()
    const initialiser = resolveInitialiser(className, initializer.getConfig(), shape)
    if (initialiser === undefined) {
      throw refuse(
        `starts with '${className || 'a special initialiser'}': ` +
          'use a constant, a symmetric uniform or a zero-mean normal, such as glorotUniform'
      )
    }
    const variable = original.call(this, name, shape, dtype, zeros, null, trainable, null)
    requests.set(variable, { name, shape, role, initialiser })
    return variable
  }
  try {
    return build()
  } finally {
    prototype.addWeight = original
  }
}

/** What tfjs-layers calls its weights. */
const roles: Partial<Record<string, TensorRole>> = {
  kernel: 'weight',
  recurrent_kernel: 'weight',
  depthwise_kernel: 'weight',
  pointwise_kernel: 'weight',
  embeddings: 'weight',
  bias: 'bias',
  gamma: 'normalisation',
  beta: 'normalisation',
  moving_mean: 'statistic',
  moving_variance: 'statistic'
}

function isConcrete(shape: (number | null)[]): shape is number[] {
  return shape.length <= 8 && shape.every((side) => Number.isSafeInteger(side) && Number(side) > 0)
}

function refusal(layer: string, weight: string): (why: string) => StarlingError {
  return (why) =>
    new StarlingError('STARLING_BAD_MODEL', `'${weight}' of the layer '${layer}' ${why}`)
}
