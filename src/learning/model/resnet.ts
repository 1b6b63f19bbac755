import { StarlingError } from '../../core/errors.ts'
import type { DataSchema } from '../data/dataset.ts'
import type { LayerSpec } from '../layers/layers.ts'

/** Filters of the three stages. */
const stages = [16, 32, 64]
/** Each stage but the first halves the image. */
const sideMin = 2 ** (stages.length - 1)
/** Running statistics follow within dozens of steps: what is traded after a few is judged by them. */
const momentum = 0.9

/**
 * The residual networks for small images of He et al., "Deep Residual Learning for Image Recognition",
 * CVPR 2016, section 4.2: a 3 × 3 convolution, three stages of blocks with 16, 32 and 64 filters, the
 * mean over all places, a dense layer; 6 · blocks + 2 layers with weights. Where a block changes the
 * shape, its shortcut is a 1 × 1 convolution (option B).
 *
 * @param blocks - in each stage: 1 for ResNet-8, 3 for ResNet-20
 * @throws STARLING_BAD_MODEL when the data is no images, or too small ones
 */
export function residualLayers(blocks: number, { shape, classes }: DataSchema): LayerSpec[] {
  const [height = 0, width = 0] = shape
  if (shape.length !== 3 || Math.min(height, width) < sideMin) {
    throw new StarlingError(
      'STARLING_BAD_MODEL',
      `a residual network needs images [height, width, channels] of at least ${sideMin} x ` +
        `${sideMin}, and the data is [${shape.join(', ')}]: use 'mlp' or 'tabular'`
    )
  }
  const layers = convolution('stem', undefined, stages[0] as number, 3, 1, 'relu')
  let before = 'stem_norm'
  for (const [index, filters] of stages.entries()) {
    for (let block = 1; block <= blocks; block++) {
      const name = `stage_${index + 1}_block_${block}`
      const changes = index > 0 && block === 1
      layers.push(...residualBlock(name, before, filters, changes))
      before = `${name}_sum`
    }
  }
  return [
    ...layers,
    { kind: 'globalAveragePool2d', name: 'mean' },
    { kind: 'dense', name: 'output', units: classes }
  ]
}

/** relu(norm(conv(relu(norm(conv(x))))) + x), where x is convolved too if the shape changes. */
function residualBlock(
  name: string,
  before: string,
  filters: number,
  changes: boolean
): LayerSpec[] {
  const stride = changes ? 2 : 1
  const shortcut = changes
    ? convolution(`${name}_shortcut`, before, filters, 1, stride, undefined)
    : []
  const end = changes ? `${name}_shortcut_norm` : before
  return [
    ...shortcut,
    ...convolution(`${name}_1`, before, filters, 3, stride, 'relu'),
    ...convolution(`${name}_2`, undefined, filters, 3, 1, undefined),
    { kind: 'add', name: `${name}_sum`, from: [`${name}_2_norm`, end], activation: 'relu' }
  ]
}

/** A convolution and its normalisation, which has the offset. */
function convolution(
  name: string,
  from: string | undefined,
  filters: number,
  kernelSize: number,
  strides: number,
  activation: 'relu' | undefined
): LayerSpec[] {
  return [
    {
      ...{ kind: 'conv2d', name, from, filters, kernelSize, strides },
      ...{ padding: 'same', useBias: false }
    },
    { kind: 'batchNorm', name: `${name}_norm`, momentum, activation }
  ]
}
