import { z } from 'zod'
import { nearest } from '../src/core/nearest.ts'

/** Schemas for files that people write: an error names what was meant and what is allowed. */

/** An object with these keys and no others. */
export function closed<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys' && Array.isArray(issue.keys)
        ? issue.keys
            .map((key: string) => notOneOf(`unknown key '${key}'`, key, Object.keys(shape)))
            .join('; ')
        : undefined
  })
}

/** One of these words. */
export function choice<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, {
    error: (issue) => notOneOf(`${JSON.stringify(issue.input)} is not allowed`, issue.input, words)
  })
}

/** One of several closed objects, told apart by the word under `kind`. */
export function kinds<const Options extends readonly [KindOfObject, ...KindOfObject[]]>(
  options: Options
) {
  const words = options.map((option) => option.shape.kind.value)
  return z.discriminatedUnion('kind', options, {
    error: (issue) => {
      if (issue.code !== 'invalid_union') return undefined
      const word = (issue.input as { kind?: unknown }).kind
      return notOneOf(`${JSON.stringify(word)} is not allowed`, word, words)
    }
  })
}

type KindOfObject = z.ZodObject<{ kind: z.ZodLiteral<string> }, z.core.$strict>

function notOneOf(what: string, word: unknown, known: readonly string[]): string {
  const meant = typeof word === 'string' ? nearest(word, known) : undefined
  return `${what}${meant === undefined ? '' : `, did you mean '${meant}'?`} (allowed: ${known.join(', ')})`
}
