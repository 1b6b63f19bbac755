import { StarlingError } from '../../core/errors.ts'

/**
 * The length that all vectors have.
 * @param what - what they are for, as the message says it
 * @throws STARLING_SHAPE_MISMATCH when there are none, or lengths differ
 */
export function expectSameLengths(
  vectors: readonly { readonly length: number }[],
  what: string
): number {
  const [first] = vectors
  if (first === undefined) {
    throw new StarlingError(
      'STARLING_SHAPE_MISMATCH',
      `${what} needs at least one vector, got none`
    )
  }
  const index = vectors.findIndex(({ length }) => length !== first.length)
  const other = vectors[index]
  if (other === undefined) return first.length
  throw new StarlingError(
    'STARLING_SHAPE_MISMATCH',
    `${what} needs vectors of one length: vector 0 has ${first.length} elements, ` +
      `vector ${index} has ${other.length}`,
    { index, expected: first.length, received: other.length }
  )
}
