import { z } from 'zod'
import type { TensorSpec } from '../layout.ts'

type Initialiser = TensorSpec['initialiser']

export const zeros: Initialiser = { kind: 'constant', value: 0 }
export const ones: Initialiser = { kind: 'constant', value: 1 }

/**
 * How the weights of a layer are first drawn. `he`: uniform, for layers with relu after them (He et al.,
 * "Delving Deep into Rectifiers", ICCV 2015), the default. `glorot`: uniform (Glorot and Bengio, AISTATS
 * 2010). `normal`: with the given deviation, as GPT-2 has 0.02.
 */
export const weightInitialiserSchema = z.union([
  z.enum(['he', 'glorot', 'zeros']),
  z.strictObject({ normal: z.number().positive().max(10) })
])

/** @param fanIn - inputs that one output sees; @param fanOut - outputs that one input reaches */
export function initialiserOf(
  choice: z.infer<typeof weightInitialiserSchema> | undefined,
  fanIn: number,
  fanOut: number
): Initialiser {
  if (typeof choice === 'object') return { kind: 'normal', deviation: choice.normal }
  switch (choice) {
    case 'zeros':
      return zeros
    case 'glorot':
      return { kind: 'uniform', limit: Math.sqrt(6 / (fanIn + fanOut)) }
    case 'he':
    case undefined:
      return { kind: 'uniform', limit: Math.sqrt(6 / fanIn) }
  }
}
