import { describe, expect, it } from 'vitest'
import { nearestWord, unknownWord } from '../../src/core/nearest.ts'

describe('what somebody probably meant', () => {
  it('is the word with the fewest edits', () => {
    expect(nearestWord('limt', ['test', 'limit', 'label'])).toBe('limit')
    expect(nearestWord('SHARD', ['samples', 'shard'])).toBe('shard')
    expect(nearestWord('kitten', ['sitting', 'mitten'])).toBe('mitten')
  })

  it('is the earlier of two equally near ones, and nothing when nothing is known', () => {
    expect(nearestWord('ab', ['ac', 'aa'])).toBe('ac')
    expect(nearestWord('ab', [])).toBeUndefined()
  })

  it('goes into a message with everything that is known', () => {
    expect(unknownWord('option', 'limt', ['limit', 'seed'])).toBe(
      "there is no option 'limt'; did you mean 'limit'? Known: limit, seed"
    )
    expect(unknownWord('option', 'x'.repeat(1e6), ['limit']).length).toBeLessThan(200)
  })
})
