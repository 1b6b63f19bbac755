import { z } from 'zod'
import { unknownWord } from './nearest.ts'

/**
 * What is wrong with something that a person wrote, one line for each fault: its path, what is
 * there, what was probably meant and what is allowed.
 *
 * @param schema - the one that `input` failed
 */
export function explain(schema: z.ZodType, error: z.ZodError, input: unknown): string[] {
  return explainIssues(schema, error.issues, input, [])
}

type Path = readonly PropertyKey[]
type Issues = readonly z.core.$ZodIssue[]

function explainIssues(
  schema: z.core.$ZodType,
  issues: Issues,
  input: unknown,
  at: Path
): string[] {
  return issues.flatMap((issue): string[] => {
    const path = [...at, ...issue.path]
    const value = issue.path.reduce(childValue, input)
    const line = (message: string): string =>
      path.length === 0 ? message : `${path.map(String).join('.')}: ${message}`

    if (issue.code === 'unrecognized_keys') {
      const known = keysOf(schemaAt(schema, issue.path, input), value)
      return issue.keys.map((key) => line(unknownWord('key', key, known)))
    }
    if (issue.code === 'invalid_value') {
      return [line(notOneOf(value, issue.values.map(String)))]
    }
    if (issue.code !== 'invalid_union') return [line(issue.message)]
    if ('options' in issue && Array.isArray(issue.options)) {
      return [line(notOneOf(value, issue.options.map(String)))]
    }
    const union = schemaAt(schema, issue.path, input)
    const options = union instanceof z.ZodUnion ? union.options : []
    const { meant, stranger } = meantShape(options, issue.errors, value)
    if (stranger !== undefined) {
      return [
        line(
          unknownWord(
            'key',
            stranger,
            options.flatMap((each) => ownKeys(each, value))
          )
        )
      ]
    }
    const option = options[meant]
    if (option === undefined) {
      const messages = issue.errors.map((faults) => faults[0]?.message ?? '')
      return [line([...new Set(messages)].join(', or: '))]
    }
    return explainIssues(option, issue.errors[meant] ?? [], value, path)
  })
}

/**
 * Of several shapes, the one that was meant: its type fits, and of those that fit it knows most of the
 * keys that are there; or a key that none of them knows.
 */
function meantShape(
  options: readonly z.core.$ZodType[],
  errors: readonly Issues[],
  value: unknown
): { meant: number; stranger?: string | undefined } {
  const isOther = ({ path, code }: Issues[number]): boolean =>
    path.length === 0 && code === 'invalid_type'
  const scores = errors.map((faults, index) => {
    if (faults.some(isOther)) return -1
    return keysKnown(options[index], value)
  })
  const best = Math.max(...scores)
  if (best < 0) return { meant: -1 }
  const isAmbiguous = best === 0 && scores.filter((score) => score === best).length > 1
  return { meant: scores.indexOf(best), stranger: isAmbiguous ? givenKeys(value)[0] : undefined }
}

function notOneOf(value: unknown, known: readonly string[]): string {
  if (typeof value === 'string') return unknownWord('choice', value, known)
  return `${value === undefined ? 'missing' : 'not a word'}. Known: ${known.join(', ')}`
}

function keysOf(schema: z.core.$ZodType | undefined, input: unknown): string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape)
  if (!(schema instanceof z.ZodUnion)) return []
  return schema.options.flatMap((option) => keysOf(chosen(unwrapped(option), input), input))
}

function keysKnown(option: z.core.$ZodType | undefined, value: unknown): number {
  const known = ownKeys(option, value)
  return givenKeys(value).filter((key) => known.includes(key)).length
}

function givenKeys(value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value) : []
}

/** The keys of one shape; of several that a word tells apart, as long as it does not, that word. */
function ownKeys(option: z.core.$ZodType | undefined, value: unknown): string[] {
  const schema = unwrapped(option)
  const shape = chosen(schema, value)
  if (shape === undefined && schema instanceof z.ZodDiscriminatedUnion) {
    return [schema.def.discriminator]
  }
  return keysOf(shape, value)
}

/** The schema that a place in the input had to fit; undefined when it cannot be told. */
function schemaAt(
  schema: z.core.$ZodType | undefined,
  path: Path,
  input: unknown
): z.core.$ZodType | undefined {
  const here = chosen(unwrapped(schema), input)
  const [key, ...rest] = path
  if (key === undefined) return here
  const [first, ...others] = here instanceof z.ZodUnion ? here.options : [here]
  const likeliest = others.reduce(
    (best, option) => (keysKnown(option, input) > keysKnown(best, input) ? option : best),
    first
  )
  const child = childSchema(chosen(unwrapped(likeliest), input), key)
  return schemaAt(child, rest, childValue(input, key))
}

function unwrapped(schema: z.core.$ZodType | undefined): z.core.$ZodType | undefined {
  return schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodNullable
    ? unwrapped(schema.unwrap())
    : schema
}

/** Of objects told apart by a word, the one whose word the input has. */
function chosen(schema: z.core.$ZodType | undefined, input: unknown): z.core.$ZodType | undefined {
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return schema
  const { discriminator } = schema.def
  const word = childValue(input, discriminator)
  return schema.options.find((option) => {
    const literal = option instanceof z.ZodObject ? (option.shape[discriminator] as unknown) : null
    return literal instanceof z.ZodLiteral && literal.values.has(word as string)
  })
}

function childSchema(
  schema: z.core.$ZodType | undefined,
  key: PropertyKey
): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodObject) return schema.shape[String(key)] as z.core.$ZodType | undefined
  if (schema instanceof z.ZodArray) return schema.element
  if (schema instanceof z.ZodRecord) return schema.valueType
  return undefined
}

function childValue(value: unknown, key: PropertyKey): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<PropertyKey, unknown>)[key]
    : undefined
}
