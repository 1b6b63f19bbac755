import type { TensorFlow } from '../model/tensorflow.ts'
import { tfjsNames, type TfjsName } from './backend-names.ts'
import { loadTfjsNode } from './tfjs-node.ts'
import { hasWebgpu, startWebgpu } from './tfjs-webgpu.ts'
import { prepareWasm } from './wasm.ts'

/** What tfjs calls them. */
export const tfjsBackends: Record<TfjsName, string> = {
  node: 'tensorflow',
  webgpu: 'webgpu',
  wasm: 'wasm',
  cpu: 'cpu'
}

export const tfjsReasons: Record<TfjsName, string> = {
  node: 'TensorFlow.js, native, @tensorflow/tfjs-node is installed',
  webgpu: 'TensorFlow.js on a graphics card, webgpu is installed',
  wasm: 'TensorFlow.js, WebAssembly with SIMD',
  cpu: 'TensorFlow.js, plain JavaScript, slow'
}

/** Those to try when none is named, in this order; webgpu only where the user has installed it. */
export function tfjsCandidates(resolveFrom: string): TfjsName[] {
  return tfjsNames.filter((name) => name !== 'webgpu' || hasWebgpu(resolveFrom))
}

/** @returns why it cannot be used, or undefined once tfjs is on it */
export async function startTfjs(
  tf: TensorFlow,
  name: TfjsName,
  resolveFrom: string
): Promise<string | undefined> {
  try {
    if (name === 'webgpu') return await startWebgpu(tf, resolveFrom)
    if (name === 'node') {
      const setback = loadTfjsNode(tf, resolveFrom)
      if (setback !== undefined) return setback
    }
    if (name === 'wasm') await prepareWasm(tf)
    return (await tf.setBackend(tfjsBackends[name])) ? undefined : `${name} does not start`
  } catch (error) {
    return `${name} does not start (${String(error)})`
  }
}
