/**
 * Elementary functions of four floats at a time, made of + − × ÷ and integer shifts alone, so that
 * every machine gives the same bits. Errors are measured by the tests, against double precision.
 */

// 2^x overflows above, and is a subnormal below, which not every machine treats alike.
const expArgumentMax: f32 = 88.37
const expArgumentMin: f32 = -87.33

/**
 * e^x, relative error below 2e-7. x = n·ln 2 + r with |r| ≤ ln 2 / 2, ln 2 in two parts; e^r by the
 * Taylor series to r⁷. Beyond the range of float32 it stays at the range's end.
 */
export function exp4(x: v128): v128 {
  const bounded = f32x4.max(f32x4.min(x, f32x4.splat(expArgumentMax)), f32x4.splat(expArgumentMin))
  const n = f32x4.nearest(f32x4.mul(bounded, f32x4.splat(1.4426950408889634)))
  let r = f32x4.sub(bounded, f32x4.mul(n, f32x4.splat(0.693359375)))
  r = f32x4.sub(r, f32x4.mul(n, f32x4.splat(-2.1219444e-4)))
  let sum = f32x4.splat(1 / 5040)
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1 / 720))
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1 / 120))
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1 / 24))
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1 / 6))
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1 / 2))
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1))
  sum = f32x4.add(f32x4.mul(sum, r), f32x4.splat(1))
  const power = i32x4.shl(i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(127)), 23)
  return f32x4.mul(sum, power)
}

/** 1 / (1 + e^−x). */
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1)
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))))
}

/**
 * tanh x, absolute error below 3e-7, relative below 5e-7: (1 − t) / (1 + t) with t = e^−2|x|, and where
 * that cancels, |x| < 0.3, the continued fraction x / (1 + x²/(3 + x²/(5 + x²/7))).
 */
export function tanh4(x: v128): v128 {
  const one = f32x4.splat(1)
  const size = f32x4.abs(x)
  const t = exp4(f32x4.mul(size, f32x4.splat(-2)))
  const large = f32x4.div(f32x4.sub(one, t), f32x4.add(one, t))
  const square = f32x4.mul(x, x)
  let tail = f32x4.add(f32x4.splat(5), f32x4.div(square, f32x4.splat(7)))
  tail = f32x4.add(f32x4.splat(3), f32x4.div(square, tail))
  const small = f32x4.div(size, f32x4.add(one, f32x4.div(square, tail)))
  const value = v128.bitselect(small, large, f32x4.lt(size, f32x4.splat(0.3)))
  return v128.or(value, v128.and(x, i32x4.splat(<i32>0x80000000)))
}

export function exp1(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0)
}

/** ln x for x > 0, in double precision (compiled from the language's own library, not the host's). */
export function log1(x: f64): f64 {
  return Math.log(x)
}
