import { packA, packB, tile } from './gemm'
import { sigmoid4, tanh4 } from './math'
import { at, load4, store4 } from './simd'
import { add, copy, fill } from './elementwise'

/**
 * Long short-term memory (Hochreiter and Schmidhuber, Neural Computation 9, 1997; with the forget gate
 * of Gers et al., 2000), its gates in the order of Keras:
 *
 *     i, f, o = σ(…)   g = tanh(…)   c = f · c₋₁ + i · g   h = o · tanh(c)   order i, f, g, o
 *
 * of z = x · W + b + h₋₁ · U. All positions of x · W + b are one product, made before.
 */

/**
 * @param gates - x · W + b, shape [count, positions, 4 · units]; becomes the gates
 * @param recurrent - U, shape [units, 4 · units]
 * @param before - receives h before each position, shape [count, positions, units]
 * @param cells - receives c after each position, the same shape
 * @param output - receives h after each position, or, where `sequences` is 0, after the last alone
 */
export function lstm(
  gates: usize,
  count: i32,
  positions: i32,
  units: i32,
  recurrent: usize,
  before: usize,
  cells: usize,
  output: usize,
  sequences: i32,
  workspace: usize
): void {
  const left = workspace + 128
  const right = at(left, ((count + 3) / 4) * 16 * units)
  packB(recurrent, 4 * units, 1, units, 4 * units, right)
  for (let position = 0; position < positions; position++) {
    const z = at(gates, position * 4 * units)
    const old = at(before, position * units)
    if (position > 0) {
      const row = positions * units
      packA(old, row, 1, count, units, left)
      products(count, 4 * units, units, left, right, z, 4 * row, true, workspace)
    }
    for (let sample = 0; sample < count; sample++) {
      const place = sample * positions + position
      const h = at(before, (place + 1) * units)
      const c = at(cells, place * units)
      const cOld = position > 0 ? at(c, -units) : 0
      if (position == 0) fill(at(before, place * units), units, 0)
      const isLast = position == positions - 1
      const to = sequences != 0 ? at(output, place * units) : at(output, sample * units)
      const next = isLast ? to : h
      oneStep(at(gates, place * 4 * units), units, cOld, c, next)
      if (sequences != 0 && !isLast) copy(next, units, to)
    }
  }
}

/** Activate the gates of one sample at one position, and move on. `cOld` is 0 at the first. */
function oneStep(z: usize, units: i32, cOld: usize, c: usize, h: usize): void {
  for (let j = 0; j < units; j += 4) {
    const left = units - j
    const input = sigmoid4(load4(at(z, j), left))
    const forget = sigmoid4(load4(at(z, units + j), left))
    const candidate = tanh4(load4(at(z, 2 * units + j), left))
    const out = sigmoid4(load4(at(z, 3 * units + j), left))
    store4(at(z, j), input, left)
    store4(at(z, units + j), forget, left)
    store4(at(z, 2 * units + j), candidate, left)
    store4(at(z, 3 * units + j), out, left)
    let cell = f32x4.mul(input, candidate)
    if (cOld != 0) cell = f32x4.add(cell, f32x4.mul(forget, load4(at(cOld, j), left)))
    store4(at(c, j), cell, left)
    store4(at(h, j), f32x4.mul(out, tanh4(cell)), left)
  }
}

/**
 * Back through all positions, last to first.
 *
 * @param slope - d loss / d output
 * @param gates - as `lstm` left them; `cells` too
 * @param slopes - receives d loss / d (x · W + b), shape [count, positions, 4 · units]
 * @param flows - room for d loss / d h and d loss / d c of all samples, shape [2, count, units]
 */
export function lstmGradient(
  slope: usize,
  gates: usize,
  count: i32,
  positions: i32,
  units: i32,
  recurrent: usize,
  cells: usize,
  sequences: i32,
  slopes: usize,
  flows: usize,
  workspace: usize
): void {
  const left = workspace + 128
  const right = at(left, ((count + 3) / 4) * 16 * units)
  packB(recurrent, 1, 4 * units, 4 * units, units, right)
  const flowsC = at(flows, count * units)
  fill(flows, 2 * count * units, 0)
  for (let position = positions - 1; position >= 0; position--) {
    for (let sample = 0; sample < count; sample++) {
      const place = sample * positions + position
      const c = at(cells, place * units)
      const dh = at(flows, sample * units)
      if (sequences != 0 || position == positions - 1) {
        add(dh, at(slope, (sequences != 0 ? place : sample) * units), units, dh)
      }
      oneStepBack(
        at(gates, place * 4 * units),
        units,
        position > 0 ? at(c, -units) : 0,
        c,
        dh,
        at(flowsC, sample * units),
        at(slopes, place * 4 * units)
      )
    }
    if (position == 0) break
    packA(at(slopes, position * 4 * units), positions * 4 * units, 1, count, 4 * units, left)
    products(count, units, 4 * units, left, right, flows, units, false, workspace)
  }
}

function oneStepBack(
  z: usize,
  units: i32,
  cOld: usize,
  c: usize,
  dh: usize,
  dc: usize,
  dz: usize
): void {
  const one = f32x4.splat(1)
  for (let j = 0; j < units; j += 4) {
    const left = units - j
    const input = load4(at(z, j), left)
    const forget = load4(at(z, units + j), left)
    const candidate = load4(at(z, 2 * units + j), left)
    const out = load4(at(z, 3 * units + j), left)
    const old = cOld != 0 ? load4(at(cOld, j), left) : f32x4.splat(0)
    const bent = tanh4(load4(at(c, j), left))
    const slope = load4(at(dh, j), left)
    const bend = f32x4.mul(f32x4.mul(slope, out), f32x4.sub(one, f32x4.mul(bent, bent)))
    const flow = f32x4.add(load4(at(dc, j), left), bend)
    store4(at(dz, j), f32x4.mul(f32x4.mul(flow, candidate), sigmoidSlope(input)), left)
    store4(at(dz, units + j), f32x4.mul(f32x4.mul(flow, old), sigmoidSlope(forget)), left)
    const tanhSlope = f32x4.sub(one, f32x4.mul(candidate, candidate))
    store4(at(dz, 2 * units + j), f32x4.mul(f32x4.mul(flow, input), tanhSlope), left)
    store4(at(dz, 3 * units + j), f32x4.mul(f32x4.mul(slope, bent), sigmoidSlope(out)), left)
    store4(at(dc, j), f32x4.mul(flow, forget), left)
  }
}

function sigmoidSlope(y: v128): v128 {
  return f32x4.mul(y, f32x4.sub(f32x4.splat(1), y))
}

/** c = a · b or c + a · b, of packed blocks of a and packed panels of b; rows of c `cRow` floats apart. */
function products(
  m: i32,
  n: i32,
  depth: i32,
  a: usize,
  b: usize,
  c: usize,
  cRow: i32,
  adds: bool,
  spare: usize
): void {
  for (let j = 0; j < n; j += 8) {
    const panel = at(b, j * depth)
    for (let i = 0; i < m; i += 4) {
      const to = at(c, i * cRow + j)
      const height = min(4, m - i)
      const stride = (<usize>cRow) << 2
      const width = min(8, n - j)
      tile(depth, at(a, i * depth), panel, to, stride, height, width, adds, 0, false, spare)
    }
  }
}
