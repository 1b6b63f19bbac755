import type { KernelBackend, KernelConfig, TensorInfo } from '@tensorflow/tfjs'
import type { TensorFlow } from '../model/tensorflow.ts'
import { conv2dBackpropFilter, conv2dBackpropInput } from './conv2d-gradients.ts'
import { cpuBridge } from './cpu-bridge.ts'
import { transposingMatMul } from './matmul.ts'
import { maxPoolGrad } from './max-pool-grad.ts'
import { kernelNamed } from './wasm-kernels.ts'

let prepared: Promise<void> | undefined

/**
 * Load tfjs' wasm backend (SIMD, one thread) and bring its kernels to where training needs them.
 * Once per process or worker.
 */
export function prepareWasm(tf: TensorFlow): Promise<void> {
  prepared ??= prepare(tf)
  return prepared
}

async function prepare(tf: TensorFlow): Promise<void> {
  await import('@tensorflow/tfjs-backend-wasm')
  if (!(await tf.setBackend('wasm'))) throw new Error('this machine does not load it')
  for (const kernel of ourKernels(tf)) {
    if (tf.getKernel(kernel.kernelName, 'wasm')) tf.unregisterKernel(kernel.kernelName, 'wasm')
    tf.registerKernel(kernel)
  }
}

function ourKernels(tf: TensorFlow): KernelConfig[] {
  return [
    conv2dBackpropFilter(tf),
    conv2dBackpropInput(tf),
    transposingMatMul(tf),
    sharingIdentity(tf),
    maxPoolGrad(tf),
    // Missing there: gradients of depthwise convolutions, of embeddings and gathers.
    cpuBridge(tf, 'DepthwiseConv2dNativeBackpropFilter'),
    cpuBridge(tf, 'DepthwiseConv2dNativeBackpropInput'),
    cpuBridge(tf, 'UnsortedSegmentSum'),
    // Wrong there, with more than one channel.
    cpuBridge(tf, 'ResizeNearestNeighborGrad')
  ]
}

/** The backend's own copies, for every tensor that the tape keeps; nothing here writes in place. */
function sharingIdentity(tf: TensorFlow): KernelConfig {
  return {
    ...kernelNamed(tf, 'Identity', 'wasm'),
    kernelFunc: ({ inputs, backend }) => {
      const { dataId, shape, dtype } = inputs.x as TensorInfo
      ;(backend as KernelBackend).incRef(dataId)
      return { dataId, shape, dtype }
    }
  }
}
