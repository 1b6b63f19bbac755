import { assert } from '../../core/assert.ts'
import { StarlingError } from '../../core/errors.ts'
import { scratch, scratchBytes, scratchStart } from './scratch.ts'

/** A row-major matrix: element (row, column) at row · columns + column. */
export interface Matrix {
  readonly values: Float32Array
  readonly columns: number
}

/** Blocks of A, of B and of the product, as many samples of each: 2 MiB in all. */
const columnsOfA = 256
const columnsOfB = 512
const samplesAtOnce = 512

const blockA = scratchStart
const blockB = blockA + 4 * columnsOfA * samplesAtOnce
const product = blockB + 4 * columnsOfB * samplesAtOnce
const workspace = product + 4 * columnsOfA * columnsOfB

/**
 * Pearson's correlation of each column of A with each column of B, over the samples in their rows.
 *
 *     r[i, j] = Σₛ (a[s, i] − āᵢ)(b[s, j] − b̄ⱼ) / √(Σₛ (a[s, i] − āᵢ)² · Σₛ (b[s, j] − b̄ⱼ)²)
 *
 * Means and sums of squares in double precision; each column is centred, scaled to length 1 and rounded,
 * and the products are summed in single precision: within 10⁻⁵ for 1024 samples. A column that does
 * not vary correlates with nothing: 0.
 *
 * @param a - activations of shape [samples, n], finite
 * @param b - shape [samples, m], finite
 * @returns shape [n, m], row-major, within [−1, 1]
 * @throws STARLING_SHAPE_MISMATCH when there is no column or no row, or not equally many rows
 */
export function correlations(a: Matrix, b: Matrix): Float32Array<ArrayBuffer> {
  const samples = rowsOf(a, 'A')
  const samplesOfB = rowsOf(b, 'B')
  if (samples !== samplesOfB) {
    throw new StarlingError(
      'STARLING_SHAPE_MISMATCH',
      `correlations need the same samples twice: A has ${samples} rows, B has ${samplesOfB}`,
      { expected: samples, received: samplesOfB }
    )
  }
  const standardA = standardOf(a, samples)
  const standardB = standardOf(b, samples)
  const { floats, run } = scratch()
  const end = workspace + run.gemmWorkspace(columnsOfB)
  assert(end <= scratchStart + scratchBytes, 'the blocks of a correlation fit the scratch memory')
  const out = new Float32Array(a.columns * b.columns)

  for (let j = 0; j < b.columns; j += columnsOfB) {
    const width = Math.min(columnsOfB, b.columns - j)
    for (let i = 0; i < a.columns; i += columnsOfA) {
      const height = Math.min(columnsOfA, a.columns - i)
      for (let s = 0; s < samples; s += samplesAtOnce) {
        const depth = Math.min(samplesAtOnce, samples - s)
        standardise(a, standardA, s, depth, i, height, floats.subarray(blockA / 4))
        standardise(b, standardB, s, depth, j, width, floats.subarray(blockB / 4))
        const adds = s === 0 ? 0 : 1
        // A is stored sample by sample, and enters the product as its transpose.
        run.gemm(
          ...[height, width, depth, blockA, 1, height, blockB, width, 1, product, width],
          ...[0, adds, workspace]
        )
      }
      for (let row = 0; row < height; row++) {
        const from = product / 4 + row * width
        const target = (i + row) * b.columns + j
        for (let x = 0; x < width; x++) {
          out[target + x] = Math.max(-1, Math.min(1, floats[from + x] as number))
        }
      }
    }
  }
  return out
}

function rowsOf({ values, columns }: Matrix, name: string): number {
  const rows = values.length / columns
  if (columns > 0 && Number.isInteger(columns) && rows > 0 && Number.isInteger(rows)) return rows
  throw new StarlingError(
    'STARLING_SHAPE_MISMATCH',
    `${values.length} elements of ${name} do not make one or more whole rows of ${columns} columns`,
    { length: values.length, columns }
  )
}

/** What makes a column standard: subtract the mean, multiply by the inverse of the length. */
interface Standard {
  readonly means: Float64Array
  readonly inverses: Float64Array
}

function standardOf({ values, columns }: Matrix, samples: number): Standard {
  const means = new Float64Array(columns)
  for (let start = 0; start < values.length; start += columns) {
    for (let j = 0; j < columns; j++) {
      means[j] = (means[j] as number) + (values[start + j] as number)
    }
  }
  for (let j = 0; j < columns; j++) means[j] = (means[j] as number) / samples

  const inverses = new Float64Array(columns)
  for (let start = 0; start < values.length; start += columns) {
    for (let j = 0; j < columns; j++) {
      const deviation = (values[start + j] as number) - (means[j] as number)
      inverses[j] = (inverses[j] as number) + deviation * deviation
    }
  }
  for (let j = 0; j < columns; j++) {
    const squares = inverses[j] as number
    inverses[j] = squares > 0 ? 1 / Math.sqrt(squares) : 0
  }
  return { means, inverses }
}

/** Copy rows [sample, sample + depth) and columns [first, first + width), standardised. */
function standardise(
  { values, columns }: Matrix,
  { means, inverses }: Standard,
  sample: number,
  depth: number,
  first: number,
  width: number,
  to: Float32Array
): void {
  let next = 0
  for (let s = sample; s < sample + depth; s++) {
    const row = s * columns
    for (let j = first; j < first + width; j++) {
      to[next++] = ((values[row + j] as number) - (means[j] as number)) * (inverses[j] as number)
    }
  }
}
