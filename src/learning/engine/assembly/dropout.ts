import { at, load4, store4 } from './simd'

/**
 * Inverted dropout (Srivastava et al., JMLR 15, 2014): an element is zero with probability `rate`, and
 * the others grow by 1 / (1 − rate). Which ones follows from the seed and the element's place alone, so
 * the way back draws the same numbers again instead of keeping a mask; x and y may be slopes.
 *
 * @param rate - below 1
 * @param seed - address of the step's seed, an unsigned 32-bit number
 * @param layer - tells the dropout layers of one model apart
 */
export function dropout(x: usize, n: i32, rate: f32, seed: usize, layer: i32, y: usize): void {
  const ownKey = mixed(v128.xor(v128.load32_splat(seed), mixed(i32x4.splat(layer))))
  const threshold = i32x4.splat(<i32>(<u32>(<f64>rate * 4294967296)))
  const factor = f32x4.splat(1 / (1 - rate))
  let place = i32x4(0, 1, 2, 3)
  for (let i = 0; i < n; i += 4) {
    const drawn = mixed(i32x4.add(ownKey, i32x4.mul(place, i32x4.splat(<i32>0x9e3779b9))))
    const value = f32x4.mul(load4(at(x, i), n - i), factor)
    store4(at(y, i), v128.and(value, i32x4.ge_u(drawn, threshold)), n - i)
    place = i32x4.add(place, i32x4.splat(4))
  }
}

/** The finaliser of MurmurHash3: every bit of the argument moves half of the bits of the result. */
function mixed(x: v128): v128 {
  x = v128.xor(x, i32x4.shr_u(x, 16))
  x = i32x4.mul(x, i32x4.splat(<i32>0x85ebca6b))
  x = v128.xor(x, i32x4.shr_u(x, 13))
  x = i32x4.mul(x, i32x4.splat(<i32>0xc2b2ae35))
  return v128.xor(x, i32x4.shr_u(x, 16))
}
