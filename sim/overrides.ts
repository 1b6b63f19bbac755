import { parse } from 'yaml'
import { StarlingError } from '../src/core/errors.ts'

export type Setting = readonly [path: string, value: unknown]

/** @throws STARLING_BAD_SCENARIO when it is not `path=value`, or the value is not YAML */
export function parseOverride(text: string): Setting {
  const equals = text.indexOf('=')
  if (equals < 1)
    throw bad(`'${text}' is not path=value, such as rounds=20 or faults.0.select=degree`)
  try {
    return [text.slice(0, equals), parse(text.slice(equals + 1)) as unknown]
  } catch (error) {
    throw bad(`the value of '${text}' is not YAML: ${String(error)}`)
  }
}

/**
 * A copy of a document with values replaced. Objects on the way that are missing are made, so that
 * a default can be overridden; a list takes an index that it has, or the next one.
 *
 * @throws STARLING_BAD_SCENARIO when a path leads through a plain value or past a list's end
 */
export function applySettings(document: unknown, settings: readonly Setting[]): unknown {
  const root = { document: structuredClone(document) }
  for (const [path, value] of settings) set(root, ['document', ...path.split('.')], value, path)
  return root.document
}

function set(node: object, keys: readonly string[], value: unknown, path: string): void {
  const [key, ...rest] = keys as [string, ...string[]]
  if (Array.isArray(node) && !(/^\d+$/.test(key) && Number(key) <= node.length)) {
    throw bad(`${path}: '${key}' is not an index of a list of ${node.length}`)
  }
  if (key === '' || key === '__proto__') throw bad(`${path}: '${key}' is not a key`)

  const entries = node as Record<string, unknown>
  if (rest.length === 0) {
    entries[key] = structuredClone(value)
    return
  }
  const child = Object.hasOwn(entries, key) ? entries[key] : (entries[key] = {})
  if (typeof child !== 'object' || child === null) {
    throw bad(`${path}: '${key}' is ${JSON.stringify(child)}, there is nothing in it to set`)
  }
  set(child, rest, value, path)
}

function bad(message: string): StarlingError {
  return new StarlingError('STARLING_BAD_SCENARIO', `override ${message}`)
}
