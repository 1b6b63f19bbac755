import { StarlingError } from '../../../core/errors.ts'
import { loadKernels, pageBytes, reservedBytes, type Kernel } from '../kernels.ts'
import { region, type Region } from './region.ts'

/** The engine's memory: what outlives a plan at fixed places, then room that all plans share. */
export class Heap {
  readonly parameters: Region
  readonly slopes: Region
  /** Up to two numbers for each parameter. */
  readonly optimizer: Region
  readonly seed: Region
  /** Where plans begin. */
  readonly plansStart: number
  readonly kernel: (name: string) => Kernel
  readonly isRelaxed: boolean
  readonly #memory: WebAssembly.Memory
  #floats = new Float32Array()

  /** @throws STARLING_BACKEND_UNAVAILABLE when there are no kernels; as `reserve` */
  constructor(parameterCount: number, fastMath: boolean) {
    const { memory, kernel, isRelaxed } = loadKernels(fastMath)
    this.#memory = memory
    this.kernel = kernel
    this.isRelaxed = isRelaxed
    let end = reservedBytes
    const next = (floats: number): Region => {
      const start = end
      end = Math.ceil((start + 4 * floats) / 64) * 64
      return region(4 * floats, start)
    }
    this.seed = next(1)
    this.parameters = next(parameterCount)
    this.slopes = next(parameterCount)
    this.optimizer = next(2 * parameterCount)
    this.plansStart = end
    this.reserve(end, 'for its parameters')
  }

  /** All of the memory as float32. Another array after each `reserve`. */
  get floats(): Float32Array {
    return this.#floats
  }

  /** The bytes from an address on, as unsigned 16-bit numbers. */
  shorts(address: number, count: number): Uint16Array {
    return new Uint16Array(this.#memory.buffer, address, count)
  }

  /** The float32 from an address on; valid until the next `reserve`. */
  view(address: number, count: number): Float32Array {
    return this.#floats.subarray(address / 4, address / 4 + count)
  }

  /**
   * Make sure that there are so many bytes.
   * @param purpose - what they are for, such as `to train with 32 samples at once`
   * @throws STARLING_BAD_MODEL when there cannot be
   */
  reserve(bytes: number, purpose: string): void {
    const missing = bytes - this.#memory.buffer.byteLength
    if (missing > 0) this.#grow(missing, bytes, purpose)
    if (this.#floats.buffer !== this.#memory.buffer) {
      this.#floats = new Float32Array(this.#memory.buffer)
    }
  }

  #grow(missing: number, bytes: number, purpose: string): void {
    try {
      this.#memory.grow(Math.ceil(missing / pageBytes))
    } catch {
      throw new StarlingError(
        'STARLING_BAD_MODEL',
        `the model needs ${(bytes / 2 ** 30).toFixed(1)} GiB of memory ${purpose}, more than the ` +
          '4 GiB that the engine can use or than this machine has: take a smaller batch or layers'
      )
    }
  }
}

/** The address of a region that has one. */
export function addressOf({ root, offset }: Region): number {
  if (root.address === undefined) throw new Error('a region of no plan has no address')
  return root.address + offset
}
