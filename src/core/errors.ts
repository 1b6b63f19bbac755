/**
 * Errors that people and programs can act on.
 *
 * Three kinds of trouble are kept apart: our own mistake stops at an assertion (assert.ts), the
 * world's trouble is thrown as one of these, and a peer's nonsense is no exception at all but an
 * ordinary answer: reject, count, go on.
 */

/** Whose move it is: decides the exit code (src/cli) and nothing else. */
export type ErrorKind =
  | 'failed' // the work itself did not succeed
  | 'input' // something that the user wrote is wrong
  | 'environment' // the machine: Node, ports, locks, disk
  | 'network' // nobody could be reached

/**
 * An error with a stable code. The message says what was wrong, where, and what to do about it.
 * Match on `code`, never on the class: two copies of a package have two classes.
 */
export class StarlingError extends Error {
  readonly code: ErrorCode
  readonly kind: ErrorKind
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: ErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message)
    this.name = 'StarlingError'
    this.code = code
    this.kind = errorKinds[code]
    this.details = details
  }
}

const errorKinds = {
  STARLING_BAD_ARGUMENT: 'input',
  STARLING_BAD_CONFIG: 'input',
  STARLING_BAD_DATA: 'input',
  STARLING_BAD_MODEL: 'input',
  STARLING_BAD_TASK: 'input',
  STARLING_TASK_MISMATCH: 'input',
  STARLING_BAD_SCENARIO: 'input',
  STARLING_BAD_RESULT: 'input',
  STARLING_BAD_MULTIADDR: 'input',
  STARLING_BAD_LINK: 'input',
  STARLING_BAD_INVITATION: 'input',
  STARLING_BAD_SWARM_KEY: 'input',
  STARLING_NOT_ADMITTED: 'input',
  STARLING_SHAPE_MISMATCH: 'failed',
  STARLING_NOT_FINITE: 'failed',
  STARLING_CHECK_FAILED: 'failed',
  STARLING_NODE_TOO_OLD: 'environment',
  STARLING_HOME_LOCKED: 'environment',
  STARLING_HOME_UNUSABLE: 'environment',
  STARLING_BAD_IDENTITY: 'environment',
  STARLING_BAD_CHECKPOINT: 'environment',
  STARLING_PORT_TAKEN: 'environment',
  STARLING_NOT_RUNNING: 'environment',
  STARLING_BACKEND_UNAVAILABLE: 'environment',
  STARLING_WORKER_FAILED: 'environment',
  STARLING_UNREACHABLE: 'network'
} as const satisfies Record<string, ErrorKind>

export type ErrorCode = keyof typeof errorKinds

export function isErrorCode(text: unknown): text is ErrorCode {
  return typeof text === 'string' && Object.hasOwn(errorKinds, text)
}

/** Whether something caught is one of ours, even if another copy of the package made it. */
export function isStarlingError(error: unknown): error is StarlingError {
  return error instanceof Error && 'code' in error && isErrorCode(error.code)
}
