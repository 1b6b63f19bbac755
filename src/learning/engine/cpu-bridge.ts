import type { KernelBackend, KernelConfig, TensorInfo } from '@tensorflow/tfjs'
import type { TensorFlow } from '../model/tensorflow.ts'
import { kernelNamed } from './wasm-kernels.ts'

/** A kernel for the wasm backend that copies its inputs to the cpu backend and its output back. */
export function cpuBridge(tf: TensorFlow, kernelName: string): KernelConfig {
  const kernel = kernelNamed(tf, kernelName, 'cpu')
  const cpu = tf.findBackend('cpu') as CpuBackend
  return {
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const wasm = backend as KernelBackend
      const copies = Object.entries(inputs).map(([name, tensor]) => {
        const { dataId, shape, dtype } = tensor as TensorInfo
        return [name, cpu.makeTensorInfo(shape, dtype, wasm.readSync(dataId))] as const
      })
      const output = kernel.kernelFunc({
        inputs: Object.fromEntries(copies),
        ...(attrs && { attrs }),
        backend: cpu
      }) as TensorInfo
      const dataId = wasm.write(cpu.readSync(output.dataId), output.shape, output.dtype)
      for (const { dataId } of [output, ...copies.map(([, copy]) => copy)]) cpu.disposeData(dataId)
      return { dataId, shape: output.shape, dtype: output.dtype }
    }
  }
}

/** What the cpu backend has beside what every backend has. */
interface CpuBackend extends KernelBackend {
  makeTensorInfo(
    shape: number[],
    dtype: string,
    values: ReturnType<KernelBackend['readSync']>
  ): TensorInfo
}
