import { CsvError, parse } from 'csv-parse/sync'
import { StarlingError } from '../../core/errors.ts'
import { classesMax, csvBytesMax, featuresMax } from '../../core/limits.ts'
import { unknownWord } from '../../core/nearest.ts'
import { readWhole } from './file.ts'
import { checkPartSize, type SourcePart } from './source.ts'

/** A table of numbers with a class for each row, as the file has it: nothing scaled. */
export interface Table {
  /** Row-major, shape [count, columns]. */
  readonly values: Float64Array
  readonly columns: number
  readonly labels: Uint16Array
  /** What the file calls each class, in order of the class's number. */
  readonly classNames: readonly string[]
  readonly count: number
}

/** Standardised values are kept within this many deviations: a held-out freak says no more than that. */
const deviationsMax = 1000
const float32Max = (2 - 2 ** -23) * 2 ** 127
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/**
 * @param label - the column that holds the class: its name in the first row, its number counted
 *   from 1, or `last`
 * @throws STARLING_BAD_DATA naming file, line and column
 */
export function readCsv(file: string, label: string): Table {
  return parseCsv(readWhole(file, 'CSV file', csvBytesMax), file, label)
}

/**
 * Cells are separated by commas. The first row is a header when the label is a column's name, or
 * when no cell of it but the label is a number.
 *
 * Classes are numbered in order of their names: by value when all are numbers, else by character.
 *
 * @param file - named in errors
 * @throws STARLING_BAD_DATA naming line and column
 */
export function parseCsv(bytes: Uint8Array, file: string, label: string): Table {
  const reader = new TableReader(file, label)
  try {
    parse(bytes, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      // Rows are counted by the reader, which names the column too.
      relax_column_count: true,
      on_record: (record: string[], { lines }) => {
        reader.add(record, lines)
        return null
      }
    })
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    throw new StarlingError('STARLING_BAD_DATA', `${file} is not CSV: ${error.message}`, { file })
  }
  return reader.table()
}

class TableReader {
  readonly #file: string
  readonly #label: string
  readonly #values: number[] = []
  readonly #labels: string[] = []
  #width = 0
  #labelColumn = 0

  constructor(file: string, label: string) {
    this.#file = file
    this.#label = label
  }

  add(cells: readonly string[], line: number): void {
    if (this.#width === 0) {
      const isHeader = this.#start(cells, line)
      if (isHeader) return
    }
    if (cells.length !== this.#width) {
      throw this.#trouble(
        line,
        `has ${cells.length} cells, expected ${this.#width} as in the first row`
      )
    }
    for (const [column, cell] of cells.entries()) {
      if (isMissing(cell)) {
        throw this.#trouble(
          line,
          `column ${column + 1} has no value (${cell === '' ? 'empty' : cell}); fill it in or leave the row out`
        )
      }
      if (column === this.#labelColumn) this.#labels.push(cell)
      else this.#values.push(this.#number(cell, line, column))
    }
  }

  table(): Table {
    if (this.#labels.length === 0) {
      throw new StarlingError('STARLING_BAD_DATA', `${this.#file} has no rows of data`, {
        file: this.#file
      })
    }
    const names = this.#labels.every((name) => decimal.test(name))
      ? this.#labels.map((name) => String(Number(name)))
      : this.#labels
    const classNames = inNaturalOrder(new Set(names))
    if (classNames.length < 2 || classNames.length > classesMax) {
      throw new StarlingError(
        'STARLING_BAD_DATA',
        `column ${this.#labelColumn + 1} of ${this.#file} holds ${classNames.length} classes, ` +
          `expected 2 to ${classesMax}; is it the label?`,
        { file: this.#file }
      )
    }
    const classOf = new Map(classNames.map((name, index) => [name, index]))
    return {
      values: Float64Array.from(this.#values),
      columns: this.#width - 1,
      labels: Uint16Array.from(names, (name) => classOf.get(name) as number),
      classNames,
      count: names.length
    }
  }

  /** @returns whether the first row is a header */
  #start(cells: readonly string[], line: number): boolean {
    this.#width = cells.length
    if (cells.length < 2 || cells.length > featuresMax) {
      throw this.#trouble(
        line,
        `has ${cells.length} cells separated by commas, expected a label and 1 to ${featuresMax} features`
      )
    }
    if (this.#label === 'last' || /^\d+$/.test(this.#label)) {
      const number = this.#label === 'last' ? cells.length : Number(this.#label)
      if (number < 1 || number > cells.length) {
        throw this.#trouble(
          line,
          `has ${cells.length} columns, so none has the number ${this.#label}`
        )
      }
      this.#labelColumn = number - 1
      return cells.every(
        (cell, column) => column === this.#labelColumn || (!decimal.test(cell) && !isMissing(cell))
      )
    }
    const named = cells.indexOf(this.#label)
    if (named === -1)
      throw this.#trouble(line, unknownWord('column', this.#label, cells.slice(0, 100)))
    if (named !== cells.lastIndexOf(this.#label)) {
      throw this.#trouble(
        line,
        `names two columns '${this.#label}'; give the label's number instead`
      )
    }
    this.#labelColumn = named
    return true
  }

  #number(cell: string, line: number, column: number): number {
    const value = decimal.test(cell) ? Number(cell) : NaN
    if (Math.abs(value) <= float32Max) return value
    throw this.#trouble(
      line,
      `column ${column + 1} holds '${cell.slice(0, 60)}', expected a number`
    )
  }

  #trouble(line: number, what: string): StarlingError {
    return new StarlingError('STARLING_BAD_DATA', `${this.#file} line ${line}: ${what}`, {
      file: this.#file,
      line
    })
  }
}

/**
 * A table as samples: each column less its mean, divided by its deviation, both over the rows for
 * training. A column that never changes in those becomes 0.
 *
 * @returns a part over all rows of the table, of shape [columns]
 */
export function standardised(table: Table, trainRows: readonly number[], file: string): SourcePart {
  const { values, columns, labels, count } = table
  checkPartSize(file, count, columns)
  const means = new Float64Array(columns)
  /** 0 for a constant column. */
  const deviations = new Float64Array(columns)
  for (let column = 0; column < columns; column++) {
    const value = (row: number) => values[row * columns + column] as number
    const mean = trainRows.reduce((sum, row) => sum + value(row), 0) / trainRows.length
    const squares = trainRows.reduce((sum, row) => sum + (value(row) - mean) ** 2, 0)
    const deviation = Math.sqrt(squares / trainRows.length)
    // Of a constant column rounding may leave a tiny deviation: compare the values themselves.
    const first = value(trainRows[0] as number)
    const isConstant = trainRows.every((row) => value(row) === first)
    means[column] = mean
    deviations[column] = isConstant ? 0 : deviation
  }
  return {
    labels,
    count,
    read(chosen) {
      const features = new Float32Array(chosen.length * columns)
      for (const [to, from] of chosen.entries()) {
        for (let column = 0; column < columns; column++) {
          const centred = (values[from * columns + column] as number) - (means[column] as number)
          const deviation = deviations[column] as number
          if (deviation === 0) continue
          const score = centred / deviation
          features[to * columns + column] = Math.max(-deviationsMax, Math.min(deviationsMax, score))
        }
      }
      return {
        features,
        labels: Uint16Array.from(chosen, (row) => labels[row] as number),
        count: chosen.length
      }
    }
  }
}

function isMissing(cell: string): boolean {
  return cell === '' || cell === '?'
}

function inNaturalOrder(names: ReadonlySet<string>): string[] {
  const all = [...names]
  if (all.every((name) => decimal.test(name))) return all.sort((a, b) => Number(a) - Number(b))
  return all.sort()
}
