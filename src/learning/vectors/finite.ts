import { allFiniteScalar } from './scalar.ts'
import { halfPageAfter, scratch, scratchStart } from './scratch.ts'

/** Below this, copying in costs more than the kernel saves (measured). */
const kernelLengthMin = 1024
const blockLength = 4096
const xAt = halfPageAfter(scratchStart)

/** Whether every element is a finite number. Stops at the first block that holds one which is not. */
export function allFinite(x: Float32Array): boolean {
  if (x.length < kernelLengthMin) return allFiniteScalar(x)
  const { floats, run } = scratch()
  for (let start = 0; start < x.length; start += blockLength) {
    const count = Math.min(blockLength, x.length - start)
    floats.set(x.subarray(start, start + count), xAt / 4)
    const padded = (count + 7) & ~7
    floats.fill(0, xAt / 4 + count, xAt / 4 + padded)
    if (run.allFinite(padded, xAt) === 0) return false
  }
  return true
}
