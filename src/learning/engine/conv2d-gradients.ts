import type { KernelConfig, Tensor4D, TensorInfo } from '@tensorflow/tfjs'
import type { TensorFlow } from '../model/tensorflow.ts'
import { kernelNamed, wasmKernels, type WindowAttributes } from './wasm-kernels.ts'

type Shape4D = Tensor4D['shape']

/**
 * The gradient of a 2-D convolution by its filter, which tfjs' wasm backend lacks.
 *
 * It is a convolution itself: with images and channels trading places, `dy` slides over `x` as a
 * filter whose taps lie `strides` apart,
 *
 *     dw[i, j, c, o] = Σ over b, y, x of  x[b, y·stride + i − top, x·stride + j − left, c] · dy[b, y, x, o]
 *
 * so it runs at the speed of the backend's own convolution.
 */
export function conv2dBackpropFilter(tf: TensorFlow): KernelConfig {
  return {
    kernelName: 'Conv2DBackpropFilter',
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { x, dy } = inputs as { x: TensorInfo; dy: TensorInfo }
      const { strides, pad, dimRoundingMode, filterShape } =
        attrs as unknown as WindowAttributes & {
          readonly filterShape: Shape4D
        }
      const { padInfo, strideHeight, strideWidth } = tf.backend_util.computeConv2DInfo(
        x.shape as Shape4D,
        filterShape,
        strides,
        1,
        pad,
        dimRoundingMode
      )
      const { run, release } = wasmKernels(tf, backend)

      const channelsFirst = run('Transpose', { x }, { perm: [3, 1, 2, 0] }) // [in, height, width, batch]
      const taps = run('Transpose', { x: dy }, { perm: [1, 2, 0, 3] }) // [height, width, batch, out]
      const slid = run(
        'Conv2D',
        { x: channelsFirst, filter: taps },
        {
          strides: 1,
          dilations: [strideHeight, strideWidth],
          pad: [
            [0, 0],
            [padInfo.top, padInfo.bottom],
            [padInfo.left, padInfo.right],
            [0, 0]
          ],
          dataFormat: 'NHWC'
        }
      ) // [in, ≥ filter height, ≥ filter width, out]: strides may leave pixels over at the far edges
      const [height, width, channelsIn, channelsOut] = filterShape
      const cropped = run(
        'Slice',
        { x: slid },
        { begin: [0, 0, 0, 0], size: [channelsIn, height, width, channelsOut] }
      )
      const gradient = run('Transpose', { x: cropped }, { perm: [1, 2, 0, 3] })
      release(channelsFirst, taps, slid, cropped)
      return gradient
    }
  }
}

/**
 * The gradient of a 2-D convolution by its input, which the backend has only as slow loops.
 *
 * With stride 1 it is the convolution of `dy` with the filter turned by half a turn, channels in and
 * out trading places. Other strides stay as they are.
 */
export function conv2dBackpropInput(tf: TensorFlow): KernelConfig {
  const stock = kernelNamed(tf, 'Conv2DBackpropInput', 'wasm')
  return {
    ...stock,
    kernelFunc: (call) => {
      const { dy, filter } = call.inputs as { dy: TensorInfo; filter: TensorInfo }
      const { strides, pad, dimRoundingMode, inputShape } =
        call.attrs as unknown as WindowAttributes & {
          readonly inputShape: Shape4D
        }
      const { padInfo, ...info } = tf.backend_util.computeConv2DInfo(
        inputShape,
        filter.shape as Shape4D,
        strides,
        1,
        pad,
        dimRoundingMode
      )
      const top = info.filterHeight - 1 - padInfo.top
      const left = info.filterWidth - 1 - padInfo.left
      const bottom = info.inHeight - info.outHeight + info.filterHeight - 1 - top
      const right = info.inWidth - info.outWidth + info.filterWidth - 1 - left
      const strided = info.strideHeight !== 1 || info.strideWidth !== 1
      if (strided || Math.min(top, left, bottom, right) < 0) return stock.kernelFunc(call)

      const { run, release } = wasmKernels(tf, call.backend)
      const turned = run('Reverse', { x: filter }, { dims: [0, 1] })
      const swapped = run('Transpose', { x: turned }, { perm: [0, 1, 3, 2] })
      const gradient = run(
        'Conv2D',
        { x: dy, filter: swapped },
        {
          strides: 1,
          dilations: 1,
          pad: [
            [0, 0],
            [top, bottom],
            [left, right],
            [0, 0]
          ],
          dataFormat: 'NHWC'
        }
      )
      release(turned, swapped)
      return gradient
    }
  }
}
