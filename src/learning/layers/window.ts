import { z } from 'zod'
import { LayerError, type Shape } from './layer.ts'

const sideSchema = z.int().min(1).max(1024)

/** One number for both sides, or [down, across]. */
export const sidesSchema = z.union([sideSchema, z.tuple([sideSchema, sideSchema])])
export type Sides = z.infer<typeof sidesSchema>

/** `valid`: windows lie inside of the image. `same`: ⌈side / stride⌉ of them, and they reach beyond it. */
export const paddingSchema = z.enum(['valid', 'same'])

export interface WindowSpec {
  readonly size: Sides
  readonly strides: Sides
  readonly padding: z.infer<typeof paddingSchema>
}

/** How a window moves over images [height, width, channels]; pairs are [down, across]. */
export interface Windows {
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly size: readonly [number, number]
  readonly strides: readonly [number, number]
  /** Rows above the image in the first window, and columns beside it. */
  readonly top: number
  readonly left: number
  readonly outHeight: number
  readonly outWidth: number
}

/**
 * TensorFlow's rules of padding: what `same` adds is shared out evenly, the odd one after the image.
 * @throws LayerError when the input is no image, or a window that has to lie inside of it does not
 */
export function slideOver(shape: Shape, { size, strides, padding }: WindowSpec): Windows {
  const [height, width, channels] = shape
  if (shape.length !== 3 || !height || !width || !channels) {
    throw new LayerError(
      `needs images [height, width, channels], and looks at [${shape.join(', ')}]`
    )
  }
  const [sizes, steps] = [bothSides(size), bothSides(strides)]
  const [down, across] = [height, width].map((side, axis) => {
    const [length, step] = [sizes[axis] as number, steps[axis] as number]
    if (padding === 'valid' && length > side) {
      throw new LayerError(
        `has a window of ${sizes.join(' x ')}, larger than its input of ${height} x ${width}: ` +
          "make the window smaller, or use padding 'same'"
      )
    }
    if (padding === 'valid') return { count: Math.floor((side - length) / step) + 1, before: 0 }
    const count = Math.ceil(side / step)
    const added = Math.max((count - 1) * step + length - side, 0)
    return { count, before: Math.floor(added / 2) }
  }) as [{ count: number; before: number }, { count: number; before: number }]
  return {
    ...{ height, width, channels, size: sizes, strides: steps },
    ...{ top: down.before, left: across.before },
    ...{ outHeight: down.count, outWidth: across.count }
  }
}

function bothSides(sides: Sides): [number, number] {
  return typeof sides === 'number' ? [sides, sides] : sides
}
