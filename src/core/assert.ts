/** Our own mistakes stop here: never used for what comes from people, files or peers. */
export function assert(condition: boolean, broken: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${broken}`)
}

/** The value, when our own reasoning says that it is there. */
export function present<T>(value: T | undefined | null, what: string): T {
  assert(value !== undefined && value !== null, `${what} is missing`)
  return value
}
