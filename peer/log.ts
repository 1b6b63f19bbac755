import { pino, type DestinationStream, type Logger } from 'pino'
import pretty from 'pino-pretty'
import { loggedBytesMax } from '../src/core/limits.ts'

export type { Logger } from 'pino'

export interface LogOptions {
  readonly format: 'text' | 'json'
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent'
}

export const logDefaults: LogOptions = { format: 'text', level: 'info' }

/**
 * A log for people (`text`) or programs (`json`, one document a line).
 *
 * Every string in it is made printable: much of what is logged was said by strangers, and a
 * terminal obeys what it is told.
 *
 * @param descriptor - an open file; standard error, since standard output is for results
 */
export function createLogger(options: Partial<LogOptions> = {}, descriptor = 2): Logger {
  const { format, level } = { ...logDefaults, ...options }
  return pino(
    {
      level,
      base: null,
      formatters: { level: (label) => ({ level: label }), log: printableFields },
      hooks: {
        logMethod(args, method) {
          method.apply(
            this,
            args.map((arg: unknown) =>
              typeof arg === 'string' ? printable(arg) : arg
            ) as typeof args
          )
        }
      }
    },
    format === 'json' ? pino.destination({ dest: descriptor, sync: true }) : textStream(descriptor)
  )
}

function textStream(descriptor: number): DestinationStream {
  return pretty({
    destination: descriptor,
    sync: true,
    colorize: false,
    translateTime: 'SYS:HH:MM:ss',
    singleLine: true,
    errorLikeObjectKeys: [] // or it spreads `error` over lines
  })
}

/**
 * A stranger's string as it may be shown to people: without control characters, among them those
 * that move the cursor or turn the direction of writing, and at most loggedBytesMax bytes long.
 */
export function printable(text: string): string {
  // Cut before looking at the characters, so that ten megabytes cost nothing.
  const clean = text
    .slice(0, loggedBytesMax + 1)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '\uFFFD')
  const bytes = Buffer.from(clean)
  if (bytes.length <= loggedBytesMax) return clean
  const ellipsis = '…'
  const kept = bytes.subarray(0, loggedBytesMax - Buffer.byteLength(ellipsis)).toString('utf8')
  return kept.replace(/\uFFFD$/, '') + ellipsis
}

/** An error becomes two fields of the line, without its stack: the code says where to look. */
function printableFields({ err, ...fields }: Record<string, unknown>): Record<string, unknown> {
  const named = err instanceof Error ? { error: err.message, code: codeOf(err) } : { error: err }
  const all = err === undefined ? fields : { ...fields, ...named }
  return Object.fromEntries(Object.entries(all).map(([key, value]) => [key, printableValue(value)]))
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : error.name
}

function printableValue(value: unknown): unknown {
  if (typeof value === 'string') return printable(value)
  if (!Array.isArray(value)) return value
  return value.map((each: unknown) => (typeof each === 'string' ? printable(each) : each))
}
