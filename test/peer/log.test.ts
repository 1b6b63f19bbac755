import fc from 'fast-check'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createLogger, printable, type Logger, type LogOptions } from '../../peer/log.ts'
import { StarlingError } from '../../src/core/errors.ts'
import { loggedBytesMax } from '../../src/core/limits.ts'
import { scratchDirectory } from './scratch.ts'

/** What a log wrote. */
async function logged(options: Partial<LogOptions>, write: (log: Logger) => void): Promise<string> {
  const path = join(await scratchDirectory(), 'log')
  const descriptor = openSync(path, 'w')
  write(createLogger(options, descriptor))
  closeSync(descriptor)
  return readFileSync(path, 'utf8')
}

describe('the log', () => {
  it('is one JSON document a line for programs', async () => {
    const text = await logged({ format: 'json' }, (log) =>
      log.info({ peer: '12D3', round: 3 }, 'merged')
    )
    expect(JSON.parse(text)).toMatchObject({ level: 'info', peer: '12D3', round: 3, msg: 'merged' })
  })

  it('is one short line for people', async () => {
    const text = await logged({ format: 'text' }, (log) => log.warn({ peer: '12D3' }, 'banned'))
    expect(text).toMatch(/^\[\d\d:\d\d:\d\d\] WARN: banned {"peer":"12D3"}\n$/)
  })

  it.each(['text', 'json'] as const)(
    'as %s tells an error by its code and message',
    async (format) => {
      const error = new StarlingError('STARLING_BAD_TASK', 'no model')
      const text = await logged({ format }, (log) => log.error(error, 'cannot start'))
      expect(text.split('\n')).toHaveLength(2)
      expect(text).toContain('"error":"no model","code":"STARLING_BAD_TASK"')
      expect(text).toContain('cannot start')
    }
  )

  it('says nothing below its level', async () => {
    expect(await logged({ level: 'warn' }, (log) => log.info('hello'))).toBe('')
    expect(await logged({ level: 'silent' }, (log) => log.error('hello'))).toBe('')
  })

  it.each(['text', 'json'] as const)('as %s does not obey what strangers say', async (format) => {
    const agent = '\u001b[2J\u001b]0;owned\u0007\nINFO: all is well\u202e'
    const text = await logged({ format }, (log) => {
      log.info({ agent, list: [agent], err: new StarlingError('STARLING_BAD_TASK', agent) }, agent)
    })
    expect(text.trimEnd()).not.toMatch(/[\p{Cc}\p{Cf}]/u)
    expect(text).toContain('STARLING_BAD_TASK')
  })
})

describe('printable', () => {
  it('leaves what people write as it is', () => {
    expect(printable('Grüße, 世界 🐦 100 %')).toBe('Grüße, 世界 🐦 100 %')
  })

  it('gives a bounded string without control characters, whatever it gets', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 2000, size: 'max' }), (text) => {
        const shown = printable(text)
        expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(loggedBytesMax)
        expect(shown).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u)
      }),
      { numRuns: 30 }
    )
  })

  it('shows that it cut', () => {
    expect(printable('é'.repeat(10_000))).toMatch(/^é+…$/)
  })
})
