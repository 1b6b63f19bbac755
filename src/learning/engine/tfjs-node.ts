import { createRequire } from 'node:module'
import util from 'node:util'
import type { TensorFlow } from '../model/tensorflow.ts'

const packageName = '@tensorflow/tfjs-node'

/**
 * Load TensorFlow's native library where the user has installed it beside Starling. It is no
 * dependency: it is large, and fetches binaries when it is installed.
 *
 * @param resolveFrom - file or URL from whose place the package is looked up
 * @returns why it cannot be used, or undefined when it is there as backend `tensorflow`
 */
export function loadTfjsNode(tf: TensorFlow, resolveFrom: string): string | undefined {
  const require = createRequire(resolveFrom)
  let path: string
  try {
    path = require.resolve(packageName)
  } catch {
    return `${packageName} is not installed`
  }
  restoreUtil()
  try {
    require(path)
  } catch (error) {
    const [line = ''] = String(error).split('\n')
    return `${packageName} is installed but does not load (${line})`
  }
  if (tf.findBackendFactory('tensorflow')) return undefined
  return `${packageName} is installed with another copy of tfjs: install version ${tf.version_core}`
}

/** tfjs-node 4.22 calls two functions of node:util that Node 23 removed. */
function restoreUtil(): void {
  const legacy = util as unknown as Record<string, (value: unknown) => boolean>
  legacy.isNullOrUndefined ??= (value) => value === null || value === undefined
  legacy.isArray ??= (value) => Array.isArray(value)
}
