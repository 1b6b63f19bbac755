import type { KernelBackend, KernelConfig, Tensor4D, TensorInfo } from '@tensorflow/tfjs'
import type { TensorFlow } from '../model/tensorflow.ts'
import type { WindowAttributes } from './wasm-kernels.ts'

interface Attributes extends WindowAttributes {
  readonly filterSize: number | [number, number]
}

/**
 * The gradient of max pooling: each output's slope goes to the first maximum of its window.
 *
 * The wasm backend's own loses it wherever the maximum is negative, and is slower than these loops.
 */
export function maxPoolGrad(tf: TensorFlow): KernelConfig {
  return {
    kernelName: 'MaxPoolGrad',
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { dy, input } = inputs as { dy: TensorInfo; input: TensorInfo }
      const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as Attributes
      const shape = input.shape as Tensor4D['shape']
      const pool = tf.backend_util.computePool2DInfo(
        shape,
        filterSize,
        strides,
        1,
        pad,
        dimRoundingMode
      )
      const wasm = backend as KernelBackend
      const x = wasm.readSync(input.dataId) as Float32Array
      const slopes = wasm.readSync(dy.dataId) as Float32Array
      const gradient = slopesAtMaxima(x, slopes, pool)
      return { dataId: wasm.write(gradient, shape, 'float32'), shape, dtype: 'float32' }
    }
  }
}

type Pooling = ReturnType<TensorFlow['backend_util']['computePool2DInfo']>

function slopesAtMaxima(x: Float32Array, slopes: Float32Array, pool: Pooling): Float32Array {
  const { inHeight, inWidth, inChannels: channels, strideHeight, strideWidth, padInfo } = pool
  const gradient = new Float32Array(x.length)
  const highest = new Float32Array(channels)
  const places = new Int32Array(channels)
  let from = 0
  for (let image = 0; image < pool.batchSize; image++) {
    for (let row = 0; row < pool.outHeight; row++) {
      const top = Math.max(0, row * strideHeight - padInfo.top)
      const bottom = Math.min(inHeight, row * strideHeight - padInfo.top + pool.filterHeight)
      for (let column = 0; column < pool.outWidth; column++) {
        const left = Math.max(0, column * strideWidth - padInfo.left)
        const right = Math.min(inWidth, column * strideWidth - padInfo.left + pool.filterWidth)
        highest.fill(-Infinity)
        for (let down = top; down < bottom; down++) {
          for (let across = left; across < right; across++) {
            const pixel = ((image * inHeight + down) * inWidth + across) * channels
            for (let channel = 0; channel < channels; channel++) {
              const value = x[pixel + channel] as number
              if (value > (highest[channel] as number)) {
                highest[channel] = value
                places[channel] = pixel + channel
              }
            }
          }
        }
        for (let channel = 0; channel < channels; channel++, from++) {
          const place = places[channel] as number
          gradient[place] = (gradient[place] as number) + (slopes[from] as number)
        }
      }
    }
  }
  return gradient
}
