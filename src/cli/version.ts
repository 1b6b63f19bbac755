import { existsSync, readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import { present } from '../core/assert.ts'

/** What `starling` runs, of the same kind as this file: .ts from the sources, .js from the package. */
export const binPath = join(import.meta.dirname, `bin${extname(import.meta.filename)}`)

/** The package's root, seen from its sources as well as from what is built of them. */
export const packageRoot = findRoot(import.meta.dirname)

export const version = (
  JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }
).version

function findRoot(directory: string): string {
  if (existsSync(join(directory, 'package.json'))) return directory
  const parent = dirname(directory)
  return findRoot(present(parent === directory ? undefined : parent, "the package's root"))
}
