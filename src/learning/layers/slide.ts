import type { Region } from '../engine/plan/region.ts'
import type { LayerPlanner } from './layer.ts'
import type { Windows } from './window.ts'

/** One side of images, and how a window goes along it. */
export interface Axis {
  readonly input: number
  readonly size: number
  readonly stride: number
  /** Zeros before the input. */
  readonly before: number
  readonly output: number
}

/** A window on its way over images, side by side. */
export interface Path {
  readonly height: Axis
  readonly width: Axis
  readonly channels: number
}

export function pathOf(windows: Windows): Path {
  const { height, width, channels, size, strides, top, left, outHeight, outWidth } = windows
  return {
    height: axis(height, size[0], strides[0], top, outHeight),
    width: axis(width, size[1], strides[1], left, outWidth),
    channels
  }
}

function axis(input: number, size: number, stride: number, before: number, output: number): Axis {
  return { input, size, stride, before, output }
}

/** Along one side: which places of a source, times which taps of a kernel, make which places. */
export interface Slide {
  /** Places that are made: `firstPlace`, `firstPlace + placeStep`, … */
  readonly places: number
  readonly firstPlace: number
  readonly placeStep: number
  /** Source places under the taps of the first place; `sourceStep` further for the next place. */
  readonly firstSource: number
  readonly sourceStep: number
  /** Taps in the order of the source. */
  readonly taps: number
  readonly firstTap: number
  readonly tapStep: number
}

/** All slides of one side, and the zeros that they need around the source. */
export interface Slides {
  readonly before: number
  readonly after: number
  readonly slides: readonly Slide[]
}

/** output[o] = Σ input[o · stride + tap − before] · kernel[tap]. */
export function slidesForward({ input, size, stride, before, output }: Axis): Slides {
  const slide: Slide = {
    ...{ places: output, firstPlace: 0, placeStep: 1 },
    ...{ firstSource: 0, sourceStep: stride },
    ...{ taps: size, firstTap: 0, tapStep: 1 }
  }
  const after = Math.max(0, (output - 1) * stride + size - input - before)
  return { before, after, slides: [slide] }
}

/**
 * The way back, one slide for each phase of the stride, so that nothing is multiplied with the zeros
 * between strides: with i + before = q · stride + phase,
 *
 *     input slope[i] = Σₜ slope[q − t] · kernel[phase + t · stride]
 *
 * Phases that no tap reaches have no slide: there the slope is zero.
 */
export function slidesBack({ input, size, stride, before, output }: Axis): Slides {
  const phases: { slide: Slide; first: number; last: number }[] = []
  for (let phase = 0; phase < Math.min(stride, size); phase++) {
    const taps = Math.ceil((size - phase) / stride)
    const firstQ = Math.ceil((before - phase) / stride)
    const firstPlace = firstQ * stride + phase - before
    const places = Math.ceil((input - firstPlace) / stride)
    if (places < 1) continue
    phases.push({
      slide: {
        ...{ places, firstPlace, placeStep: stride },
        ...{ firstSource: firstQ - (taps - 1), sourceStep: 1 },
        ...{ taps, firstTap: phase + (taps - 1) * stride, tapStep: -stride }
      },
      first: firstQ - (taps - 1),
      last: firstQ + places - 1
    })
  }
  const zeros = Math.max(0, ...phases.map(({ first }) => -first))
  return {
    before: zeros,
    after: Math.max(0, ...phases.map(({ last }) => last - (output - 1))),
    slides: phases.map(({ slide }) => ({ ...slide, firstSource: slide.firstSource + zeros }))
  }
}

/** Images in a region, one after the other. */
export interface Images {
  readonly region: Region
  readonly height: number
  readonly width: number
  readonly channels: number
}

/** Images with zeros around them and after their channels; the same where none are asked for. */
export function padded(
  planner: LayerPlanner,
  images: Images,
  rows: Pick<Slides, 'before' | 'after'>,
  columns: Pick<Slides, 'before' | 'after'>,
  channels: number
): Images {
  const height = rows.before + images.height + rows.after
  const width = columns.before + images.width + columns.after
  if (height === images.height && width === images.width && channels === images.channels) {
    return images
  }
  const region = planner.floats(planner.count * height * width * channels)
  planner.call(
    'padImages',
    ...[images.region, planner.count, images.height, images.width, images.channels],
    ...[region, height, width, channels, rows.before, columns.before]
  )
  return { region, height, width, channels }
}

/** Whether some place of the input is reached by no tap. */
export function leavesGaps({ height, width }: Path): boolean {
  return height.size < height.stride || width.size < width.stride
}
