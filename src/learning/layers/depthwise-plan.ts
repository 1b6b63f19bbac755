import { from, type Region } from '../engine/plan/region.ts'
import type { LayerPlanner } from './layer.ts'
import {
  leavesGaps,
  padded,
  slidesBack,
  slidesForward,
  type Images,
  type Path,
  type Slide
} from './slide.ts'

/** Kernels take channels four at a time, with zeros behind the last. */
function fours(channels: number): number {
  return 4 * Math.ceil(channels / 4)
}

const noZeros = { before: 0, after: 0 }

interface Depthwise {
  readonly source: Images
  /** Shape [rows, columns, channels of the source]. */
  readonly kernel: Region
  readonly kernelColumns: number
  readonly rows: Slide
  readonly columns: Slide
  readonly bias?: Region
  readonly clamps?: boolean
  readonly target: Images
}

/**
 * Emit the sums of a convolution of each channel with `multiplier` kernels of its own: channels are
 * repeated first. Says also what its way back will look at.
 */
export function convolveDepthwise(
  planner: LayerPlanner,
  { height, width, channels }: Path,
  multiplier: number,
  { useBias, clamps }: { useBias: boolean; clamps: boolean }
): { source: Images; target: Images; kernel: Region } {
  const n = channels * multiplier
  const [rows, columns] = [slidesForward(height), slidesForward(width)]
  const input = { height: height.input, width: width.input, channels: n }
  const region = repeated(planner, input.height * input.width * channels, multiplier)
  const source = padded(planner, { ...input, region }, rows, columns, fours(n))
  const kernel = paddedKernel(planner, height.size * width.size, n)
  const output = planner.floats(planner.count * height.output * width.output * n)
  const target = { region: output, height: height.output, width: width.output, channels: n }
  emit(planner, {
    ...{ source, target, kernel, kernelColumns: width.size, clamps },
    ...{ rows: rows.slides[0] as Slide, columns: columns.slides[0] as Slide },
    ...(useBias && { bias: planner.weight('bias') })
  })
  return { source, target, kernel }
}

/** Emit the slope of the kernel from that of the sums. */
export function depthwiseFilterSlope(
  planner: LayerPlanner,
  { height, width }: Path,
  source: Images,
  slope: Images
): void {
  const wide = padded(planner, slope, noZeros, noZeros, source.channels)
  const row = source.width * source.channels
  planner.call(
    'depthwiseFilterSlope',
    ...[source.region, source.height * row, height.stride * row, width.stride * source.channels],
    ...[height.size, width.size, row, source.channels],
    ...[planner.count, height.output, width.output, wide.region],
    ...[slope.channels, planner.weightSlope('depthwise_kernel')]
  )
}

/** Emit the slope of the input: the slope of the sums convolved with the kernel turned round. */
export function depthwiseInputSlope(
  planner: LayerPlanner,
  path: Path,
  multiplier: number,
  kernel: Region,
  slope: Images
): Region {
  const { height, width } = path
  const n = slope.channels
  const [rows, columns] = [slidesBack(height), slidesBack(width)]
  const source = padded(planner, slope, rows, columns, fours(n))
  const size = planner.count * height.input * width.input * n
  const region = planner.floats(size)
  if (leavesGaps(path)) planner.call('fill', region, size, 0)
  const target = { region, height: height.input, width: width.input, channels: n }
  for (const row of rows.slides) {
    for (const column of columns.slides) {
      const sides = { rows: row, columns: column, kernelColumns: width.size }
      emit(planner, { source, target, kernel, ...sides })
    }
  }
  if (multiplier === 1) return region
  const sums = planner.floats(size / multiplier)
  planner.call('sumCopies', region, size / multiplier, multiplier, sums)
  return sums
}

function repeated(planner: LayerPlanner, sampleSize: number, multiplier: number): Region {
  const [input] = planner.inputs as [Region]
  if (multiplier === 1) return input
  const size = planner.count * sampleSize
  const region = planner.floats(size * multiplier)
  planner.call('repeatChannels', input, size, multiplier, region)
  return region
}

function paddedKernel(planner: LayerPlanner, taps: number, n: number): Region {
  const region = planner.weight('depthwise_kernel')
  const kernel = { region, height: 1, width: taps, channels: n }
  return padded({ ...planner, count: 1 }, kernel, noZeros, noZeros, fours(n)).region
}

function emit(planner: LayerPlanner, convolution: Depthwise): void {
  const { source, target, kernel, kernelColumns, rows, columns } = convolution
  const { bias, clamps = false } = convolution
  const { channels } = source
  const [xRow, yRow] = [source.width * channels, target.width * target.channels]
  const wRow = kernelColumns * channels
  planner.call(
    'depthwise',
    from(source.region, rows.firstSource * xRow + columns.firstSource * channels),
    ...[source.height * xRow, rows.sourceStep * xRow, columns.sourceStep * channels],
    ...[rows.taps, columns.taps, xRow, channels],
    ...[planner.count, rows.places, columns.places],
    from(kernel, rows.firstTap * wRow + columns.firstTap * channels),
    ...[rows.tapStep * wRow, columns.tapStep * channels],
    ...[target.channels, bias ?? 0, clamps ? 1 : 0],
    from(target.region, rows.firstPlace * yRow + columns.firstPlace * target.channels),
    ...[target.height * yRow, rows.placeStep * yRow, columns.placeStep * target.channels]
  )
}
