import { LayerError, type Shape } from './layer.ts'

/**
 * The sides of a sequence.
 * @throws LayerError when the shape is another
 */
export function sequenceOf(shape: Shape = []): { positions: number; width: number } {
  const [positions, width] = shape
  if (positions === undefined || width === undefined || shape.length !== 2) {
    throw new LayerError(
      `needs a sequence [positions, width], and looks at [${shape.join(', ')}]: ` +
        "make one of indices with an 'embedding'"
    )
  }
  return { positions, width }
}
