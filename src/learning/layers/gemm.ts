import type { Region } from '../engine/plan/region.ts'
import type { LayerPlanner } from './layer.ts'

/** A matrix whose element (i, j) is `row · i + column · j` floats into a region. */
export interface Matrix {
  readonly region: Region
  readonly row: number
  readonly column: number
}

export interface Product {
  readonly m: number
  readonly n: number
  readonly k: number
  /** Shape [m, k]. */
  readonly a: Matrix
  /** Shape [k, n]. */
  readonly b: Matrix
  /** Row-major, shape [m, n]. */
  readonly c: Region
  /** Floats from one row of `c` to the next; n when it is not said. */
  readonly cRow?: number
  /** Shape [n], added to every row. */
  readonly bias?: Region
  readonly mode: keyof typeof modes
}

/** What becomes of c; numbers are those of the kernel. */
const modes = { overwrite: 0, add: 1, relu: 2 } as const

/** Emit a matrix product, c = a · b + bias, with the workspace that its kernel needs. */
export function gemm(
  planner: Pick<LayerPlanner, 'call' | 'workspace'>,
  { m, n, k, a, b, c, cRow = n, bias, mode }: Product
): void {
  const workspace = planner.workspace(workspaceBytes(n))
  planner.call(
    'gemm',
    ...[m, n, k],
    ...[a.region, a.row, a.column],
    ...[b.region, b.row, b.column],
    ...[c, cRow, bias ?? 0, modes[mode], workspace]
  )
}

/** As assembly/gemm.ts lays it out. */
function workspaceBytes(n: number): number {
  return 4 * (32 + 96 * 320 + 8 * Math.ceil(n / 8) * 320)
}
