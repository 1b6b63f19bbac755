import { StarlingError } from '../../core/errors.ts'
import { squaredDistance } from './moments.ts'
import { halfPageAfter, scratch, scratchStart, type Scratch } from './scratch.ts'

/** Elements at a time. */
const blockLength = 4096
const outAt = scratchStart
const xAt = halfPageAfter(outAt + 4 * blockLength)
const centreAt = xAt + 4 * blockLength

/**
 * The nearest point to x of the ball around a centre, as self-centred clipping does it:
 *
 *     y = centre + min(1, radius / ‖x − centre‖) · (x − centre)
 *
 * He, Karimireddy, Jaggi, "Byzantine-Robust Decentralized Learning via ClippedGossip", arXiv 2202.01545.
 *
 * @param x - shape [n], finite
 * @param centre - shape [n], finite
 * @param radius - not negative; Infinity clips nothing
 * @returns a new array of shape [n]; equal to x bit for bit where x is within the ball
 * @throws STARLING_SHAPE_MISMATCH when lengths differ
 * @throws STARLING_NOT_FINITE when x or centre is not finite, for then no distance is
 * @throws STARLING_BAD_ARGUMENT when the radius is negative or no number
 */
export function clipToBall(
  x: Float32Array,
  centre: Float32Array,
  radius: number
): Float32Array<ArrayBuffer> {
  if (!(radius >= 0)) {
    throw new StarlingError(
      'STARLING_BAD_ARGUMENT',
      `the radius of a clip is ${radius}; it is a number and not negative`,
      { radius }
    )
  }
  const distance = Math.sqrt(squaredDistance(x, centre))
  if (!Number.isFinite(distance)) {
    throw new StarlingError(
      'STARLING_NOT_FINITE',
      'what is clipped to a ball, and the centre of the ball, must be finite; one of them is not'
    )
  }
  if (distance <= radius) return new Float32Array(x)
  const factor = radius / distance
  return mapped([x, centre], ({ run }, count) => run.pull(count, xAt, centreAt, factor, outAt))
}

/**
 * Each element moved to the nearest number within [low, high]; NaN stays NaN.
 * @param low - rounded to float32, as is `high`
 * @throws STARLING_BAD_ARGUMENT when low is above high, or one of them is NaN
 */
export function clipValues(x: Float32Array, low: number, high: number): Float32Array<ArrayBuffer> {
  if (!(low <= high)) {
    throw new StarlingError(
      'STARLING_BAD_ARGUMENT',
      `cannot clip to [${low}, ${high}]: the first must be a number and at most the second`,
      { low, high }
    )
  }
  return mapped([x], ({ run }, count) => run.clamp(count, xAt, low, high, outAt))
}

function mapped(
  vectors: readonly [Float32Array, ...Float32Array[]],
  compute: (memory: Scratch, count: number) => void
): Float32Array<ArrayBuffer> {
  const memory = scratch()
  const { floats } = memory
  const out = new Float32Array(vectors[0].length)
  for (let start = 0; start < out.length; start += blockLength) {
    const count = Math.min(blockLength, out.length - start)
    for (const [index, vector] of vectors.entries()) {
      floats.set(vector.subarray(start, start + count), xAt / 4 + index * blockLength)
    }
    compute(memory, (count + 3) & ~3)
    out.set(floats.subarray(outAt / 4, outAt / 4 + count), start)
  }
  return out
}
