import { at } from './simd'
import { add, copy, fill } from './elementwise'

/**
 * y[i] = table[x[i]], rows of `width` floats; an index outside of the vocabulary reads its nearest end.
 * @param x - n indices as float32, truncated
 */
export function embedding(
  x: usize,
  n: i32,
  table: usize,
  vocabulary: i32,
  width: i32,
  y: usize
): void {
  for (let i = 0; i < n; i++) {
    copy(at(table, indexAt(x, i, vocabulary) * width), width, at(y, i * width))
  }
}

/** slopes[x[i]] += dy[i], from zeros and in order; shape [vocabulary, width]. */
export function embeddingGradient(
  x: usize,
  n: i32,
  dy: usize,
  vocabulary: i32,
  width: i32,
  slopes: usize
): void {
  fill(slopes, vocabulary * width, 0)
  for (let i = 0; i < n; i++) {
    const row = at(slopes, indexAt(x, i, vocabulary) * width)
    add(row, at(dy, i * width), width, row)
  }
}

function indexAt(x: usize, i: i32, vocabulary: i32): i32 {
  const index = load<f32>(at(x, i))
  return index > 0 ? <i32>min(index, <f32>(vocabulary - 1)) : 0 // a NaN too is not above 0
}
