import { at } from './simd'

/**
 * Inverted dropout (Srivastava et al., JMLR 15, 2014): an element is zero with probability `rate`, and
 * the others grow by 1 / (1 − rate). Which ones follows from the seed and the element's place alone, so
 * the way back draws the same numbers again instead of keeping a mask; x and y may be slopes.
 *
 * @param seed - address of the step's seed, an unsigned 32-bit number
 * @param layer - tells the dropout layers of one model apart
 */
export function dropout(x: usize, n: i32, rate: f32, seed: usize, layer: i32, y: usize): void {
  const key = mixed(load<u32>(seed) ^ mixed(<u32>layer))
  const threshold = <u32>(<f64>rate * 4294967296)
  const factor: f32 = 1 / (1 - rate)
  for (let i = 0; i < n; i++) {
    const keeps = mixed(key + <u32>i * 0x9e3779b9) >= threshold
    store<f32>(at(y, i), keeps ? factor * load<f32>(at(x, i)) : 0)
  }
}

/** The finaliser of MurmurHash3: every bit of the argument moves half of the bits of the result. */
function mixed(x: u32): u32 {
  x ^= x >>> 16
  x *= 0x85ebca6b
  x ^= x >>> 13
  x *= 0xc2b2ae35
  return x ^ (x >>> 16)
}
