import type { KernelConfig, TensorInfo } from '@tensorflow/tfjs'
import type { TensorFlow } from '../model/tensorflow.ts'
import { kernelNamed, wasmKernels } from './wasm-kernels.ts'

/**
 * Matrix products for the wasm backend whose transposes are made first.
 *
 * The backend has fast code for one product without transposes and falls back to slow loops for all
 * others, which is what every gradient of a dense layer needs. Several products at a time stay as
 * they are.
 */
export function transposingMatMul(tf: TensorFlow): KernelConfig {
  const stock = kernelNamed(tf, 'BatchMatMul', 'wasm')
  return {
    ...stock,
    kernelFunc: (call) => {
      const { a, b } = call.inputs as { a: TensorInfo; b: TensorInfo }
      const { transposeA, transposeB } = call.attrs as { transposeA: boolean; transposeB: boolean }
      if ((!transposeA && !transposeB) || !isMatrix(a) || !isMatrix(b))
        return stock.kernelFunc(call)

      const { run, release } = wasmKernels(tf, call.backend)
      const transposed = (x: TensorInfo): TensorInfo =>
        run('Transpose', { x }, { perm: swappedLast(x.shape.length) })
      const left = transposeA ? transposed(a) : a
      const right = transposeB ? transposed(b) : b
      const product = stock.kernelFunc({
        ...call,
        inputs: { a: left, b: right },
        attrs: { transposeA: false, transposeB: false }
      })
      if (transposeA) release(left)
      if (transposeB) release(right)
      return product
    }
  }
}

function isMatrix({ shape }: TensorInfo): boolean {
  return shape.slice(0, -2).every((side) => side === 1)
}

function swappedLast(rank: number): number[] {
  return [...Array(rank - 2).keys(), rank - 1, rank - 2]
}
