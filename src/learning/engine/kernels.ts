import { readFileSync } from 'node:fs'
import { StarlingError } from '../../core/errors.ts'

/** A compiled kernel: pointers in bytes and counts in, perhaps one number out. */
export type Kernel = (...numbers: number[]) => number

/** Kernels over one memory of their own. */
export interface Kernels {
  readonly memory: WebAssembly.Memory
  /** Whether they may round once where two roundings are written. */
  readonly isRelaxed: boolean
  /** The number of a kernel's parameters is its `length`. */
  readonly kernel: (name: string) => Kernel
}

/** Bytes at the start of a memory that belong to the compiler. */
export const reservedBytes = 64 * 2 ** 10
export const pageBytes = 64 * 2 ** 10
/** What 32-bit addresses reach: 4 GiB. */
const pagesMax = 65_536

const modules = new Map<string, WebAssembly.Module>()

/**
 * Load the kernels into a new memory.
 *
 * @param fastMath - multiply and add in one rounding where the machine can: some 20 % faster, and the
 *   last bits differ from machine to machine. Where relaxed SIMD is unknown, the plain kernels
 * @throws STARLING_BACKEND_UNAVAILABLE when the compiled kernels are not there, or no addresses for
 *   a memory
 */
export function loadKernels(fastMath = false): Kernels {
  const memory = newMemory()
  const relaxed = fastMath ? compiled('kernels-relaxed.wasm') : undefined
  const module = relaxed ?? plainModule()
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  return {
    memory,
    isRelaxed: relaxed !== undefined,
    kernel: (name) => {
      const found = exports[name]
      if (typeof found === 'function') return found as Kernel
      throw new Error(`there is no kernel '${name}'`)
    }
  }
}

function newMemory(): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: pagesMax })
  } catch (error) {
    throw new StarlingError(
      'STARLING_BACKEND_UNAVAILABLE',
      `there are no addresses left for the engine's memory (${String(error)}): raise 'ulimit -v', ` +
        'or run fewer engines in one process'
    )
  }
}

function plainModule(): WebAssembly.Module {
  const module = compiled('kernels.wasm')
  if (module !== undefined) return module
  throw new StarlingError(
    'STARLING_BACKEND_UNAVAILABLE',
    'this machine does not run WebAssembly with SIMD: use Node.js 22 or newer'
  )
}

/** @returns undefined when this machine does not know what the file is made of */
function compiled(file: string): WebAssembly.Module | undefined {
  const known = modules.get(file)
  if (known !== undefined) return known
  const bytes = read(file)
  if (!WebAssembly.validate(bytes)) return undefined
  const module = new WebAssembly.Module(bytes)
  modules.set(file, module)
  return module
}

function read(file: string): Buffer<ArrayBuffer> {
  try {
    return readFileSync(new URL(`./${file}`, import.meta.url))
  } catch {
    throw new StarlingError(
      'STARLING_BACKEND_UNAVAILABLE',
      `the compiled kernels (${file}) are not there: run 'npm run build', or install starling again`
    )
  }
}
