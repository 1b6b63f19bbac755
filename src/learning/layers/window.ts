import { z } from 'zod'
import { windowSideMax } from '../../core/limits.ts'
import { LayerError, type Shape } from './layer.ts'

/** A window that slides over images, side by side: as TensorFlow says it. */
const side = z.int().min(1).max(windowSideMax)
export const sidesSchema = z.union([side, z.tuple([side, side])])
export const paddingSchema = z.enum(['same', 'valid'])

export interface WindowSpec {
  readonly size: z.infer<typeof sidesSchema>
  readonly strides: z.infer<typeof sidesSchema>
  readonly padding: z.infer<typeof paddingSchema>
}

/** One side of an image, and how a window goes along it. */
export interface WindowAxis {
  readonly input: number
  readonly size: number
  readonly stride: number
  /** Zeros before and after the input. */
  readonly before: number
  readonly after: number
  readonly output: number
}

export interface Window {
  readonly height: WindowAxis
  readonly width: WindowAxis
  readonly channels: number
}

/**
 * How a window goes over an image.
 *
 * @param shape - [height, width, channels]
 * @throws LayerError when the shape is no image, or the window does not fit into it
 */
export function windowOf({ size, strides, padding }: WindowSpec, shape: Shape): Window {
  const [height, width, channels] = shape
  if (shape.length !== 3 || height === undefined || width === undefined || channels === undefined) {
    throw new LayerError(`needs images [height, width, channels], not [${shape.join(', ')}]`)
  }
  const [rows, columns] = pairOf(size)
  const [rowStride, columnStride] = pairOf(strides)
  if (padding === 'valid' && (rows > height || columns > width)) {
    throw new LayerError(
      `has a window of ${rows} x ${columns}, larger than its input of ${height} x ${width}: ` +
        "use a smaller one, or padding 'same'"
    )
  }
  return {
    height: axisOf(height, rows, rowStride, padding),
    width: axisOf(width, columns, columnStride, padding),
    channels
  }
}

export function pairOf(sides: WindowSpec['size']): readonly [number, number] {
  return typeof sides === 'number' ? [sides, sides] : sides
}

/** `same`: ⌈input / stride⌉ outputs, the odd zero after the input; `valid`: no zeros. */
function axisOf(
  input: number,
  size: number,
  stride: number,
  padding: WindowSpec['padding']
): WindowAxis {
  if (padding === 'valid') {
    const output = Math.floor((input - size) / stride) + 1
    return { input, size, stride, before: 0, after: 0, output }
  }
  const output = Math.ceil(input / stride)
  const zeros = Math.max(0, (output - 1) * stride + size - input)
  const before = Math.floor(zeros / 2)
  return { input, size, stride, before, after: zeros - before, output }
}
