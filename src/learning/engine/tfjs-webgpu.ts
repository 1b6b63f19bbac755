import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import type { TensorFlow } from '../model/tensorflow.ts'

/**
 * WebGPU in Node.js: `webgpu` brings Dawn, and `@tensorflow/tfjs-backend-webgpu` the kernels. Both are
 * looked up where the user has installed them, and are no dependencies.
 *
 * Our calls are synchronous, and tfjs 4.22 reads from the graphics card at once only by way of an
 * OffscreenCanvas, which Node.js does not have: so far this backend finds out that it cannot be used.
 * Nothing was ever measured on it.
 */
const packageNames = ['webgpu', '@tensorflow/tfjs-backend-webgpu'] as const

/** The part of `webgpu` that is used. */
interface Dawn {
  readonly globals: object
  readonly create: (options: readonly string[]) => Gpu
}

interface Gpu {
  /** @returns null when there is no graphics card, or no driver for it */
  requestAdapter(): Promise<object | null>
}

/** Whether the user has installed what it needs. */
export function hasWebgpu(resolveFrom: string): boolean {
  return missing(resolveFrom) === undefined
}

/**
 * Bring tfjs on WebGPU, and see whether it answers at once.
 *
 * @param resolveFrom - file or URL from whose place the packages are looked up
 * @returns why it cannot be used, or undefined once tfjs is on it as backend `webgpu`
 */
export async function startWebgpu(
  tf: TensorFlow,
  resolveFrom: string
): Promise<string | undefined> {
  const absent = missing(resolveFrom)
  if (absent !== undefined) return `${absent} is not installed`
  const setback = await start(tf, createRequire(resolveFrom))
  // A reference to it keeps the process alive.
  if (setback !== undefined) Reflect.deleteProperty(navigator, 'gpu')
  return setback
}

function missing(resolveFrom: string): string | undefined {
  const require = createRequire(resolveFrom)
  return packageNames.find((name) => {
    try {
      require.resolve(name)
      return false
    } catch {
      return true
    }
  })
}

async function start(tf: TensorFlow, require: NodeJS.Require): Promise<string | undefined> {
  const [dawnPath, backendPath] = packageNames.map((name) => require.resolve(name)) as [
    string,
    string
  ]
  try {
    const { globals, create } = (await import(pathToFileURL(dawnPath).href)) as Dawn
    const gpu = create([])
    if ((await gpu.requestAdapter()) === null) return 'webgpu finds no graphics card'
    Object.assign(globalThis, globals)
    Object.defineProperty(navigator, 'gpu', { value: gpu, configurable: true })
    await import(pathToFileURL(backendPath).href)
  } catch (error) {
    const [line = ''] = String(error).split('\n')
    return `webgpu is installed but does not load (${line})`
  }
  if (!tf.findBackendFactory('webgpu')) {
    return `${packageNames[1]} is installed with another copy of tfjs: install version ${tf.version_core}`
  }
  if (!(await tf.setBackend('webgpu'))) return 'webgpu does not start'
  return answersAtOnce(tf) ? undefined : 'webgpu does not give results at once, as training needs'
}

/** Results of less than 1,000 numbers do not tell: small tensors stay on the processor. */
function answersAtOnce(tf: TensorFlow): boolean {
  // It would warn, on the console, that this is slow.
  Object.assign(tf.backend(), { hasReadSyncWarned: true })
  try {
    const sums = tf.tidy(() => tf.add(tf.ones([64, 64]), 1).dataSync<'float32'>())
    return sums.length === 64 * 64 && sums.every((sum) => sum === 2)
  } catch {
    return false
  }
}
