import type { Region } from '../engine/plan/region.ts'
import { gemm } from './gemm.ts'
import type { LayerPlanner } from './layer.ts'

/** x · W + b over rows, within a layer. */
export interface Linear {
  /** Shape [rows, width]. */
  readonly input: Region
  readonly rows: number
  readonly width: number
  readonly units: number
  /** Names of the layer's tensors: W of shape [width, units], b of shape [units] or none. */
  readonly kernel: string
  readonly bias?: string | undefined
  /** Whether what is below 0 becomes 0. */
  readonly clamps?: boolean
}

export interface PlannedLinear {
  /** Shape [rows, units]. */
  readonly output: Region
  /**
   * Emit the slopes of the tensors from that of the output before it was clamped.
   * @returns the slope of the input, if it is asked for
   */
  readonly back: (slope: Region, isWanted: boolean) => Region | undefined
}

export function planLinear(
  planner: LayerPlanner,
  { input, rows, width, units, kernel, bias, clamps = false }: Linear
): PlannedLinear {
  const output = planner.floats(rows * units)
  gemm(planner, {
    ...{ m: rows, n: units, k: width },
    a: { region: input, row: width, column: 1 },
    b: { region: planner.weight(kernel), row: units, column: 1 },
    c: output,
    ...(bias !== undefined && { bias: planner.weight(bias) }),
    mode: clamps ? 'relu' : 'overwrite'
  })
  const back = (slope: Region, isWanted: boolean): Region | undefined => {
    gemm(planner, {
      ...{ m: width, n: units, k: rows },
      a: { region: input, row: 1, column: width },
      b: { region: slope, row: units, column: 1 },
      c: planner.weightSlope(kernel),
      mode: 'overwrite'
    })
    if (bias !== undefined) {
      planner.call('columnSums', slope, rows, units, planner.weightSlope(bias))
    }
    if (!isWanted) return undefined
    const inputSlope = planner.floats(rows * width)
    gemm(planner, {
      ...{ m: rows, n: width, k: units },
      a: { region: slope, row: units, column: 1 },
      b: { region: planner.weight(kernel), row: 1, column: units },
      c: inputSlope,
      mode: 'overwrite'
    })
    return inputSlope
  }
  return { output, back }
}
