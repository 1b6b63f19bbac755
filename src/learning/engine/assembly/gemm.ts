import { at, madd, transpose4 } from './simd'

/**
 * Matrix products. Blocks of A and panels of B are packed so that the innermost loop reads both in
 * order: Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", ACM TOMS 34
 * (2008). Four rows by eight columns are what the sixteen registers of a small machine hold.
 */

/** Depth and rows of a block of A: with a panel of B they fit the caches nearest the core. */
const depthMax: i32 = 320
const rowsMax: i32 = 96

/** Bytes of workspace that `gemm` needs for a product with n columns. */
export function gemmWorkspace(n: i32): i32 {
  return (32 + rowsMax * depthMax + ((n + 7) / 8) * 8 * depthMax) * 4
}

/**
 * C = act(A · B + bias), or C = C + A · B.
 *
 * @param a - element (i, p) at a + i·aRow + p·aColumn; transposes cost nothing
 * @param b - element (p, j) at b + p·bRow + j·bColumn
 * @param c - row-major, rows `cRow` apart
 * @param bias - shape [n], or 0 for none
 * @param mode - 0: overwrite C; 1: add to C (no bias then); 2: overwrite, and clamp below 0 (relu)
 */
export function gemm(
  m: i32,
  n: i32,
  k: i32,
  a: usize,
  aRow: i32,
  aColumn: i32,
  b: usize,
  bRow: i32,
  bColumn: i32,
  c: usize,
  cRow: i32,
  bias: usize,
  mode: i32,
  workspace: usize
): void {
  const blocks = (k + depthMax - 1) / depthMax
  const blockDepth = (k + blocks - 1) / blocks
  const blockA = workspace + 128
  const panelsB = at(blockA, rowsMax * depthMax)
  const cStride = (<usize>cRow) << 2
  for (let p = 0; p < k; p += blockDepth) {
    const depth = min(blockDepth, k - p)
    packB(at(b, p * bRow), bRow, bColumn, depth, n, panelsB)
    const isLast = p + depth == k
    const adds = p > 0 || mode == 1
    const clamps = isLast && mode == 2
    for (let i = 0; i < m; i += rowsMax) {
      const rows = min(rowsMax, m - i)
      packA(at(a, i * aRow + p * aColumn), aRow, aColumn, rows, depth, blockA)
      for (let j = 0; j < n; j += 8) {
        const panel = at(panelsB, j * depth)
        const offsets = isLast && bias != 0 ? at(bias, j) : 0
        const width = min(8, n - j)
        let row = at(c, i * cRow + j)
        for (let r = 0; r < rows; r += 4) {
          const height = min(4, rows - r)
          tile(
            depth,
            at(blockA, r * depth),
            panel,
            row,
            cStride,
            height,
            width,
            adds,
            offsets,
            clamps,
            workspace
          )
          row += 4 * cStride
        }
      }
    }
  }
}

/** Columns in panels of eight, each panel depth by depth; missing columns are zero. */
export function packB(b: usize, bRow: i32, bColumn: i32, depth: i32, n: i32, to: usize): void {
  const rowStride = (<usize>bRow) << 2
  const columnStride = (<usize>bColumn) << 2
  for (let j = 0; j < n; j += 8) {
    const width = min(8, n - j)
    let from = at(b, j * bColumn)
    let p = 0
    if (width == 8 && bColumn == 1) {
      for (; p < depth; p++) {
        v128.store(to, v128.load(from))
        v128.store(to, v128.load(from, 16), 16)
        to += 32
        from += rowStride
      }
    } else if (width == 8 && bRow == 1) {
      for (; p + 4 <= depth; p += 4) {
        transpose4(from, columnStride, to, 32)
        transpose4(from + 4 * columnStride, columnStride, to + 16, 32)
        to += 128
        from += 16
      }
    }
    for (; p < depth; p++) {
      for (let x = 0; x < 8; x++) {
        store<f32>(at(to, x), x < width ? load<f32>(from + <usize>x * columnStride) : 0)
      }
      to += 32
      from += rowStride
    }
  }
}

/** Rows in blocks of four, each block depth by depth; missing rows are zero. */
export function packA(a: usize, aRow: i32, aColumn: i32, rows: i32, depth: i32, to: usize): void {
  const rowStride = (<usize>aRow) << 2
  const columnStride = (<usize>aColumn) << 2
  for (let i = 0; i < rows; i += 4) {
    const height = min(4, rows - i)
    let from = at(a, i * aRow)
    let p = 0
    if (height == 4 && aRow == 1) {
      for (; p < depth; p++) {
        v128.store(to, v128.load(from))
        to += 16
        from += columnStride
      }
    } else if (height == 4 && aColumn == 1) {
      for (; p + 4 <= depth; p += 4) {
        transpose4(from, rowStride, to, 16)
        to += 64
        from += 16
      }
    }
    for (; p < depth; p++) {
      for (let x = 0; x < 4; x++) {
        store<f32>(at(to, x), x < height ? load<f32>(from + <usize>x * rowStride) : 0)
      }
      to += 16
      from += columnStride
    }
  }
}

/** Four rows by eight columns of C. The loop is not unrolled: measured, it then runs out of registers. */
export function tile(
  depth: i32,
  a: usize,
  b: usize,
  c: usize,
  cStride: usize,
  height: i32,
  width: i32,
  adds: bool,
  bias: usize,
  clamps: bool,
  spare: usize
): void {
  let c00 = f32x4.splat(0)
  let c01 = c00
  let c10 = c00
  let c11 = c00
  let c20 = c00
  let c21 = c00
  let c30 = c00
  let c31 = c00
  for (let p = 0; p < depth; p++) {
    const b0 = v128.load(b)
    const b1 = v128.load(b, 16)
    const a0 = v128.load_splat<f32>(a)
    c00 = madd(a0, b0, c00)
    c01 = madd(a0, b1, c01)
    const a1 = v128.load_splat<f32>(a, 4)
    c10 = madd(a1, b0, c10)
    c11 = madd(a1, b1, c11)
    const a2 = v128.load_splat<f32>(a, 8)
    c20 = madd(a2, b0, c20)
    c21 = madd(a2, b1, c21)
    const a3 = v128.load_splat<f32>(a, 12)
    c30 = madd(a3, b0, c30)
    c31 = madd(a3, b1, c31)
    a += 16
    b += 32
  }
  const isWhole = height == 4 && width == 8
  const to = isWhole ? c : spare
  const stride = isWhole ? cStride : 32
  if (isWhole && adds) {
    c00 = f32x4.add(c00, v128.load(c))
    c01 = f32x4.add(c01, v128.load(c, 16))
    c10 = f32x4.add(c10, v128.load(c + cStride))
    c11 = f32x4.add(c11, v128.load(c + cStride, 16))
    c20 = f32x4.add(c20, v128.load(c + 2 * cStride))
    c21 = f32x4.add(c21, v128.load(c + 2 * cStride, 16))
    c30 = f32x4.add(c30, v128.load(c + 3 * cStride))
    c31 = f32x4.add(c31, v128.load(c + 3 * cStride, 16))
  }
  if (isWhole && bias != 0) {
    const bias0 = v128.load(bias)
    const bias1 = v128.load(bias, 16)
    c00 = f32x4.add(c00, bias0)
    c01 = f32x4.add(c01, bias1)
    c10 = f32x4.add(c10, bias0)
    c11 = f32x4.add(c11, bias1)
    c20 = f32x4.add(c20, bias0)
    c21 = f32x4.add(c21, bias1)
    c30 = f32x4.add(c30, bias0)
    c31 = f32x4.add(c31, bias1)
  }
  if (isWhole && clamps) {
    const zero = f32x4.splat(0)
    c00 = f32x4.max(c00, zero)
    c01 = f32x4.max(c01, zero)
    c10 = f32x4.max(c10, zero)
    c11 = f32x4.max(c11, zero)
    c20 = f32x4.max(c20, zero)
    c21 = f32x4.max(c21, zero)
    c30 = f32x4.max(c30, zero)
    c31 = f32x4.max(c31, zero)
  }
  v128.store(to, c00)
  v128.store(to, c01, 16)
  v128.store(to + stride, c10)
  v128.store(to + stride, c11, 16)
  v128.store(to + 2 * stride, c20)
  v128.store(to + 2 * stride, c21, 16)
  v128.store(to + 3 * stride, c30)
  v128.store(to + 3 * stride, c31, 16)
  if (isWhole) return
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const target = at(c + <usize>y * cStride, x)
      let value = load<f32>(at(spare, 8 * y + x))
      if (adds) value = load<f32>(target) + value
      if (bias != 0) value += load<f32>(at(bias, x))
      store<f32>(target, clamps ? max<f32>(value, 0) : value)
    }
  }
}
