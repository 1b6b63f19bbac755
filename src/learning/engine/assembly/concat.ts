import { at } from './simd'

/** Rows of n floats, `xRow` floats apart in x, to rows that are `yRow` apart in y. */
export function copyRows(x: usize, xRow: i32, rows: i32, n: i32, y: usize, yRow: i32): void {
  for (let i = 0; i < rows; i++) {
    memory.copy(at(y, i * yRow), at(x, i * xRow), (<usize>n) << 2)
  }
}
