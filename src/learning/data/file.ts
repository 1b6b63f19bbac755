import { readFileSync, statSync } from 'node:fs'
import { isStarlingError, StarlingError } from '../../core/errors.ts'

/**
 * All bytes of a file.
 *
 * @param what - what it should be, such as `CSV file`
 * @throws STARLING_BAD_DATA when it is not there, no file, too large or not ours to read
 */
export function readWhole(file: string, what: string, bytesMax: number): Uint8Array {
  try {
    const status = statSync(file, { throwIfNoEntry: false })
    if (status === undefined) {
      throw new StarlingError('STARLING_BAD_DATA', `there is no ${what} at ${file}`, { file })
    }
    if (status.isDirectory()) throw badData(file, `is a directory, expected a ${what}`)
    if (!status.isFile()) throw badData(file, `is no ${what}`)
    if (status.size > bytesMax) {
      throw badData(
        file,
        `has ${status.size} bytes; ${what}s of at most ${bytesMax} bytes are read`
      )
    }
    return readFileSync(file)
  } catch (error) {
    if (isStarlingError(error)) throw error
    const reason = error instanceof Error ? error.message : String(error)
    throw badData(file, `cannot be read: ${reason}`)
  }
}

/** @param trouble - goes on after the file's name */
export function badData(file: string, trouble: string): StarlingError {
  return new StarlingError('STARLING_BAD_DATA', `${file} ${trouble}`, { file })
}
