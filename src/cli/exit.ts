import { isStarlingError, type ErrorKind } from '../core/errors.ts'

/** What a command's exit says. A shell, a script or a service manager acts on it. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  input: 2,
  environment: 3,
  network: 4,
  interrupted: 130
} as const

const exitCodeOf: Readonly<Record<ErrorKind, number>> = {
  failed: exitCodes.failed,
  input: exitCodes.input,
  environment: exitCodes.environment,
  network: exitCodes.network
}

/**
 * Tell the user what went wrong, without a stack trace, unless it is our own mistake: then the trace
 * is what a report needs.
 * @returns the exit code
 */
export function tell(error: unknown): number {
  if (isStarlingError(error)) {
    process.stderr.write(`starling: ${error.message}\n`)
    return exitCodeOf[error.kind]
  }
  const trace = error instanceof Error ? (error.stack ?? error.message) : String(error)
  process.stderr.write(
    `starling: this is a mistake in starling itself, please report it:\n${trace}\n`
  )
  return exitCodes.failed
}
