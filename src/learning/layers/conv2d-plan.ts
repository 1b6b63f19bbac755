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

/** A kernel of shape [height, width, channels, filters], as one way reads it. */
interface Filters {
  readonly kernel: Region
  /** Taps in a row, and floats from one to the next. */
  readonly columns: number
  readonly tap: number
  /** What is summed over, and what comes out: numbers, and floats from one to the next. */
  readonly depth: number
  readonly depthStride: number
  readonly n: number
  readonly nStride: number
}

interface Convolution {
  readonly source: Images
  readonly rows: Slide
  readonly columns: Slide
  readonly filters: Filters
  readonly bias?: Region
  readonly clamps?: boolean
  readonly target: Images
}

/** Emit the sums of a convolution; says also what its way back will look at. */
export function convolve(
  planner: LayerPlanner,
  path: Path,
  n: number,
  { useBias, clamps }: { useBias: boolean; clamps: boolean }
): { source: Images; target: Images } {
  const { height, width, channels } = path
  const [rows, columns] = [slidesForward(height), slidesForward(width)]
  const input: Images = {
    ...{ region: planner.inputs[0] as Region, channels },
    ...{ height: height.input, width: width.input }
  }
  const source = padded(planner, input, rows, columns, channels)
  const region = planner.floats(planner.count * height.output * width.output * n)
  const target = { region, height: height.output, width: width.output, channels: n }
  const filters = {
    ...{ kernel: planner.weight('kernel'), columns: width.size, tap: channels * n },
    ...{ depth: channels, depthStride: n, n, nStride: 1 }
  }
  emit(planner, {
    ...{ source, target, filters, clamps },
    ...{ rows: rows.slides[0] as Slide, columns: columns.slides[0] as Slide },
    ...(useBias && { bias: planner.weight('bias') })
  })
  return { source, target }
}

/** Emit the slope of the kernel from that of the sums, shape [count, height, width, n]. */
export function filterSlope(
  planner: LayerPlanner,
  { height, width }: Path,
  source: Images,
  slope: Images
): void {
  const n = slope.channels
  const none = { before: 0, after: 0 }
  const wide = padded(planner, slope, none, none, 8 * Math.ceil(n / 8))
  const row = source.width * source.channels
  planner.call(
    'conv2dFilterSlope',
    ...[source.region, source.height * row, height.stride * row, width.stride * source.channels],
    ...[height.size, row, width.size * source.channels],
    ...[planner.count, height.output, width.output],
    ...[wide.region, wide.channels, n],
    ...[planner.weightSlope('kernel'), planner.workspace(conv2dFilterSlopeWorkspace)]
  )
}

/** Emit the slope of the input: convolutions of the slope of the sums with the kernel turned round. */
export function inputSlope(planner: LayerPlanner, path: Path, slope: Images): Region {
  const { height, width, channels } = path
  const [rows, columns] = [slidesBack(height), slidesBack(width)]
  const source = padded(planner, slope, rows, columns, slope.channels)
  const size = planner.count * height.input * width.input * channels
  const region = planner.floats(size)
  if (leavesGaps(path)) planner.call('fill', region, size, 0)
  const n = slope.channels
  const filters = {
    ...{ kernel: planner.weight('kernel'), columns: width.size, tap: channels * n },
    ...{ depth: n, depthStride: 1, n: channels, nStride: n }
  }
  const target = { region, height: height.input, width: width.input, channels }
  for (const row of rows.slides) {
    for (const column of columns.slides) {
      emit(planner, { source, target, filters, rows: row, columns: column })
    }
  }
  return region
}

function emit(planner: LayerPlanner, convolution: Convolution): void {
  if (paysWinograd(convolution)) emitWinograd(planner, convolution)
  else emitDirect(planner, convolution)
}

function emitDirect(planner: LayerPlanner, convolution: Convolution): void {
  const { source, target, filters, rows, columns, bias, clamps = false } = convolution
  const { kernel, tap, depth, depthStride, n, nStride } = filters
  const kernelRow = filters.columns * tap
  const panels = planner.floats(8 * Math.ceil(n / 8) * rows.taps * columns.taps * depth)
  planner.call(
    'packFilters',
    from(kernel, rows.firstTap * kernelRow + columns.firstTap * tap),
    ...[rows.taps, rows.tapStep * kernelRow, columns.taps, columns.tapStep * tap],
    ...[depth, depthStride, n, nStride, panels]
  )
  const [xRow, yRow] = [source.width * source.channels, target.width * target.channels]
  planner.call(
    'conv2d',
    from(source.region, rows.firstSource * xRow + columns.firstSource * source.channels),
    ...[source.height * xRow, rows.sourceStep * xRow, columns.sourceStep * source.channels],
    ...[rows.taps, xRow, columns.taps * source.channels],
    ...[planner.count, rows.places, columns.places],
    ...[panels, n, bias ?? 0, clamps ? 1 : 0],
    from(target.region, rows.firstPlace * yRow + columns.firstPlace * target.channels),
    ...[target.height * yRow, rows.placeStep * yRow, columns.placeStep * target.channels],
    planner.workspace(conv2dWorkspace)
  )
}

/** 3 × 3 in steps of one, over even sides, and with sums so long that changing the basis is little. */
function paysWinograd({ rows, columns, filters: { depth, n } }: Convolution): boolean {
  const isSuited = ({ taps, sourceStep, placeStep, places }: Slide): boolean =>
    taps === 3 && sourceStep === 1 && placeStep === 1 && places % 2 === 0
  const isWide = depth % 4 === 0 && n % 4 === 0 && depth + n >= 48 // measured
  return isSuited(rows) && isSuited(columns) && isWide
}

function emitWinograd(planner: LayerPlanner, convolution: Convolution): void {
  const { source, target, filters, rows, columns, bias, clamps = false } = convolution
  const { kernel, tap, depth, depthStride, n, nStride } = filters
  const kernelRow = filters.columns * tap
  const bases = planner.floats(16 * 8 * Math.ceil(n / 8) * depth)
  planner.call(
    'winogradFilters',
    from(kernel, rows.firstTap * kernelRow + columns.firstTap * tap),
    ...[rows.tapStep * kernelRow, columns.tapStep * tap, depth, depthStride, n, nStride, bases]
  )
  const xRow = source.width * source.channels
  planner.call(
    'winograd',
    from(source.region, rows.firstSource * xRow + columns.firstSource * source.channels),
    ...[source.height * xRow, xRow, depth, planner.count, rows.places / 2, columns.places / 2],
    ...[bases, n, bias ?? 0, clamps ? 1 : 0, target.region],
    planner.workspace(winogradWorkspace(depth + n))
  )
}

// As the kernels of these names in assembly/ lay them out, in bytes.
const conv2dWorkspace = 128 + 32 + 8 * 64
const conv2dFilterSlopeWorkspace = 128

function winogradWorkspace(channels: number): number {
  return 704 + 4 * 16 * (32 * channels + 32)
}
