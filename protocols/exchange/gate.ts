import { staysFinite, type Layout } from '../../src/learning/layout.ts'
import type { Rejection } from '../participant-io.ts'

/**
 * The last look at received parameters before they may touch ours. Cheapest question first; whether
 * the update is fresh is the exchange's own question, asked before this one.
 */
export function inspect(parameters: Float32Array, layout: Layout): Rejection | undefined {
  if (parameters.length !== layout.parameterCount) return 'size'
  if (!staysFinite(parameters)) return 'not-finite'
  return undefined
}
