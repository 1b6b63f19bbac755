/** What all kernels are made of. Pointers are in bytes, counts and strides in elements. */

/** a · b + c: two roundings on every machine, or one where the fast build may use it. */
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c)
  return f32x4.add(c, f32x4.mul(a, b))
}

/** The sum of the four lanes, in one fixed order. */
export function lanesSum(a: v128): f32 {
  return (
    f32x4.extract_lane(a, 0) +
    f32x4.extract_lane(a, 1) +
    (f32x4.extract_lane(a, 2) + f32x4.extract_lane(a, 3))
  )
}

/** The first two of four floats, in double precision. */
export function lower(four: v128): v128 {
  return f64x2.promote_low_f32x4(four)
}

/** The last two. */
export function upper(four: v128): v128 {
  return f64x2.promote_low_f32x4(v128.shuffle<f32>(four, four, 2, 3, 0, 1))
}

/** Byte address of element `index` of an array of float32 or int32. */
export function at(base: usize, index: i32): usize {
  return base + ((<usize>index) << 2)
}

/** Four rows of four floats at `from`, transposed to `to`; strides in bytes. */
export function transpose4(from: usize, fromStride: usize, to: usize, toStride: usize): void {
  const r0 = v128.load(from)
  const r1 = v128.load(from + fromStride)
  const r2 = v128.load(from + 2 * fromStride)
  const r3 = v128.load(from + 3 * fromStride)
  const a = v128.shuffle<f32>(r0, r1, 0, 4, 1, 5)
  const b = v128.shuffle<f32>(r2, r3, 0, 4, 1, 5)
  const c = v128.shuffle<f32>(r0, r1, 2, 6, 3, 7)
  const d = v128.shuffle<f32>(r2, r3, 2, 6, 3, 7)
  v128.store(to, v128.shuffle<f32>(a, b, 0, 1, 4, 5))
  v128.store(to + toStride, v128.shuffle<f32>(a, b, 2, 3, 6, 7))
  v128.store(to + 2 * toStride, v128.shuffle<f32>(c, d, 0, 1, 4, 5))
  v128.store(to + 3 * toStride, v128.shuffle<f32>(c, d, 2, 3, 6, 7))
}

/** Four floats, or the `left` that are there and zeros. */
export function load4(from: usize, left: i32): v128 {
  if (left >= 4) return v128.load(from)
  let four = v128.load32_zero(from)
  if (left > 1) four = f32x4.replace_lane(four, 1, load<f32>(from, 4))
  if (left > 2) four = f32x4.replace_lane(four, 2, load<f32>(from, 8))
  return four
}

/** Store four floats, or the first `left` of them. */
export function store4(to: usize, four: v128, left: i32): void {
  if (left >= 4) {
    v128.store(to, four)
    return
  }
  store<f32>(to, f32x4.extract_lane(four, 0))
  if (left > 1) store<f32>(to, f32x4.extract_lane(four, 1), 4)
  if (left > 2) store<f32>(to, f32x4.extract_lane(four, 2), 8)
}
