import { describe, expect, it } from 'vitest'
import { parseCsv, readCsv, standardised } from '../../../src/learning/data/csv.ts'

const parse = (text: string, label: string) => parseCsv(Buffer.from(text), 'pets.csv', label)

describe('a CSV table', () => {
  it('is numbers, and a class for each row, from the column that was named', () => {
    const table = parse('height,kind,weight\n1.5,dog,-2e1\n.25,cat,+3\n', 'kind')

    expect(table).toEqual({
      values: Float64Array.of(1.5, -20, 0.25, 3),
      columns: 2,
      labels: Uint16Array.of(1, 0),
      classNames: ['cat', 'dog'],
      count: 2
    })
  })

  it('needs no header when the column is numbered, and tells whether there is one', () => {
    const expected = { labels: Uint16Array.of(1, 0), values: Float64Array.of(1, 2, 3, 4) }

    expect(parse('b,1,2\na,3,4', '1')).toMatchObject(expected)
    expect(parse('1,2,b\n3,4,a', 'last')).toMatchObject(expected)
    expect(parse('x,y,kind\n1,2,b\n3,4,a', 'last')).toMatchObject(expected)
    expect(parse('1,b,2\n3,a,4', '2')).toMatchObject(expected)
  })

  it('orders classes by value when all are numbers, else by character', () => {
    expect(parse('0,10\n0,9\n0,-1\n0,9.0', 'last').classNames).toEqual(['-1', '9', '10'])
    expect(parse('0,10\n0,9\n0,b\n0,B', 'last').classNames).toEqual(['10', '9', 'B', 'b'])
  })

  it('may have a byte order mark, quotes, blank lines, spaces and any line ends', () => {
    const table = parse('\ufeff"a, b",kind\r\n 1 ,"x"\r\n\r\n"2", y \r\n', 'kind')

    expect(table).toMatchObject({ values: Float64Array.of(1, 2), classNames: ['x', 'y'] })
  })

  it.each([
    ['an empty file', '', 'last', 'has no rows of data'],
    ['a header alone', 'a,kind\n', 'kind', 'has no rows of data'],
    ['no such column', 'a,kind\n1,x\n', 'kid', "there is no column 'kid'; did you mean 'kind'?"],
    ['a name that two columns have', 'k,k\n1,x\n', 'k', "names two columns 'k'"],
    ['column 0', '1,x\n', '0', 'none has the number 0'],
    ['a column too far', '1,x\n', '3', 'has 2 columns, so none has the number 3'],
    ['one column', 'x\ny\n', 'last', 'has 1 cells separated by commas'],
    [
      'an empty cell',
      'a,b,kind\n1,2,x\n3,,y\n',
      'kind',
      'pets.csv line 3: column 2 has no value (empty)'
    ],
    ['a question mark', '1,2,x\n?,3,y\n', 'last', 'pets.csv line 2: column 1 has no value (?)'],
    ['a missing class', '1,2,x\n3,4,?\n', 'last', 'pets.csv line 2: column 3 has no value (?)'],
    [
      'a missing value at once',
      '?,2,x\n3,4,y\n',
      'last',
      'pets.csv line 1: column 1 has no value (?)'
    ],
    ['a word for a number', '1,2,x\n3,four,y\n', 'last', "pets.csv line 2: column 2 holds 'four'"],
    ['a half-numeric first row', '1,two,x\n3,4,y\n', 'last', "line 1: column 2 holds 'two'"],
    ['NaN', '1,2,x\n3,NaN,y\n', 'last', "column 2 holds 'NaN'"],
    ['infinity', '1,2,x\n3,-Infinity,y\n', 'last', "column 2 holds '-Infinity'"],
    ['a number beyond float32', '1,2,x\n3,1e39,y\n', 'last', "column 2 holds '1e39'"],
    ['hexadecimal', '1,2,x\n3,0x10,y\n', 'last', "column 2 holds '0x10'"],
    ['a ragged row', '1,2,x\n3,y\n', 'last', 'pets.csv line 2: has 2 cells, expected 3'],
    ['a quote that does not end', '1,2,x\n3,"4,y\n', 'last', 'pets.csv is not CSV'],
    ['one class only', '1,2,x\n3,4,x\n', 'last', 'column 3 of pets.csv holds 1 classes']
  ])('is refused with %s', (_, text, label, part) => {
    expect(() => parse(text, label)).toThrow(
      expect.objectContaining({
        code: 'STARLING_BAD_DATA',
        message: expect.stringContaining(part) as string
      })
    )
  })

  it('is refused when it is not there, or no file', () => {
    expect(() => readCsv('/nowhere/pets.csv', 'last')).toThrow(
      'there is no CSV file at /nowhere/pets.csv'
    )
    expect(() => readCsv('/', 'last')).toThrow(
      expect.objectContaining({ code: 'STARLING_BAD_DATA' })
    )
  })
})

describe('standardised columns', () => {
  it('have mean 0 and deviation 1 over the rows for training, and the same scale elsewhere', () => {
    const part = standardised(parse('2,x\n6,y\n100,x\n', 'last'), [0, 1], 'pets.csv')

    expect(part.read([0, 1, 2]).features).toEqual(Float32Array.of(-1, 1, 48))
    expect(part.read([2, 1]).labels).toEqual(Uint16Array.of(0, 1))
  })

  it('are 0 where the column never changes in training, even when its mean is not exact', () => {
    const rows = Array.from({ length: 1000 }, (_, row) => `0.1,${row},${row % 2}`).join('\n')
    const train = Array.from({ length: 999 }, (_, row) => row)
    const { features } = standardised(parse(`${rows}\n7,0,1`, 'last'), train, 'f').read([
      0, 999, 1000
    ])

    expect([features[0], features[2], features[4]]).toEqual([0, 0, 0])
  })

  it('stay finite for a freak among the held-out rows, and for differences too small to square', () => {
    const freak = standardised(parse('0,x\n1e-300,y\n3e38,x\n', 'last'), [0, 1], 'f').read([
      0, 1, 2
    ])
    expect(freak.features.every(Number.isFinite)).toBe(true)

    const outlier = standardised(parse('0,x\n1e-9,y\n-3e38,x\n', 'last'), [0, 1], 'f').read([2])
    expect(outlier.features).toEqual(Float32Array.of(-1000))
  })
})
