import { readFileSync, statSync } from 'node:fs'
import { parse } from 'yaml'
import { StarlingError } from '../../core/errors.ts'
import { explain } from '../../core/explain.ts'
import { modelFileBytesMax } from '../../core/limits.ts'
import { modelSchema, type ModelSpec } from './spec.ts'

/** Keys by which a tfjs-layers topology is known, however much of a saved model is around it. */
const topologyKeys = ['class_name', 'modelTopology', 'model_config']

/**
 * A model that a user has written down as JSON or YAML: a list of layers, `{ layers: [...] }` as a task
 * has it, or a tfjs-layers topology. Whether it fits data is not asked here.
 *
 * @throws STARLING_BAD_MODEL when the file is not there, is too large or neither JSON nor YAML, or
 *   naming what is wrong by its path, such as `layers.3.units`
 */
export function readModelFile(path: string): ModelSpec {
  const content = contentOf(path)
  if (Array.isArray(content)) return checked(path, { layers: content as unknown })
  if (!isRecord(content)) {
    throw badFile(path, 'holds no model: a list of layers, or a tfjs-layers topology, is expected')
  }
  const isTopology = topologyKeys.some((key) => Object.hasOwn(content, key))
  return checked(path, isTopology ? { topology: content } : content)
}

/** @throws STARLING_BAD_MODEL naming what is wrong in it */
function checked(path: string, content: unknown): ModelSpec {
  const parsed = modelSchema.safeParse(content)
  if (parsed.success) return parsed.data
  const lines = explain(modelSchema, parsed.error, content).map((line) => `\n  ${line}`)
  throw badFile(path, `is not valid:${lines.join('')}`)
}

function contentOf(path: string): unknown {
  const text = textOf(path)
  try {
    return parse(text) as unknown
  } catch (error) {
    const [why] = (error as Error).message.split('\n')
    throw badFile(path, `is neither JSON nor YAML: ${why}`)
  }
}

function textOf(path: string): string {
  let size: number
  try {
    size = statSync(path).size
    if (size <= modelFileBytesMax) return readFileSync(path, 'utf8')
  } catch (error) {
    throw badFile(path, `cannot be read: ${(error as Error).message}`)
  }
  throw badFile(path, `has ${size} bytes, more than ${modelFileBytesMax}`)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function badFile(path: string, why: string): StarlingError {
  return new StarlingError('STARLING_BAD_MODEL', `the model file ${path} ${why}`)
}
