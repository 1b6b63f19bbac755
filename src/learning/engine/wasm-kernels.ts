import type { KernelBackend, KernelConfig, NamedAttrMap, TensorInfo } from '@tensorflow/tfjs'
import { present } from '../../core/assert.ts'
import type { TensorFlow } from '../model/tensorflow.ts'

type Inputs = Record<string, TensorInfo>

export interface WasmKernels {
  /** Run a kernel of the backend on bare tensors, outside of tfjs' own bookkeeping. */
  readonly run: (name: string, inputs: Inputs, attributes: object) => TensorInfo
  /** Give intermediate results back. */
  readonly release: (...tensors: TensorInfo[]) => void
}

/** For kernels that are made of other kernels. */
export function wasmKernels(tf: TensorFlow, backend: unknown): WasmKernels {
  const wasm = backend as KernelBackend
  return {
    run: (name, inputs, attributes) =>
      kernelNamed(tf, name, 'wasm').kernelFunc({
        inputs,
        attrs: attributes as NamedAttrMap,
        backend: wasm
      }) as TensorInfo,
    release: (...tensors) => {
      for (const { dataId } of tensors) wasm.disposeData(dataId)
    }
  }
}

/** A kernel that is known to be there. */
export function kernelNamed(tf: TensorFlow, name: string, backendName: string): KernelConfig {
  return present(tf.getKernel(name, backendName), `the ${backendName} kernel ${name}`)
}

/** How a window moves over an image: of convolutions and of pooling, as tfjs names it. */
export interface WindowAttributes {
  readonly strides: number | [number, number]
  readonly pad: 'same' | 'valid' | number
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil'
}
