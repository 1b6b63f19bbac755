import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { isAlive, Running, scratchOfFile } from './starling.ts'

const scratch = scratchOfFile()

/** A demo whose temporary files lie where only it puts any. */
function demoIn(name: string, ...more: string[]): { demo: Running; temporaries: string } {
  const temporaries = join(scratch(), name)
  mkdirSync(temporaries)
  const small = ['--peers', '3', '--samples', '60', '--test-samples', '200', ...more]
  const env = { TMPDIR: temporaries, STARLING_HOME: join(scratch(), 'home') }
  return { demo: new Running(['demo', ...small], { env }), temporaries }
}

/** Processes that were started for a directory, by their command lines. */
function processesOf(directory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(directory)
      } catch {
        return false // ended meanwhile
      }
    })
    .map(Number)
}

const share = expect.toSatisfy((value: number) => value >= 0 && value <= 1) as number
const positive = expect.toSatisfy((value: number) => value > 0) as number

describe.runIf(process.platform === 'linux')('the demo', () => {
  it.concurrent('tells what came of it, and leaves nothing behind', async () => {
    const { demo, temporaries } = demoIn('whole', '--rounds', '20', '--kill', '1', '--json')
    const { code, stdout } = await demo.ended
    expect(JSON.parse(stdout)).toEqual({
      peers: 3,
      data: 'glyphs',
      partition: 'dirichlet:0.3',
      rounds: 20,
      processes: 3,
      accuracy: { localOnlyMean: share, swarmMean: share, swarmMin: share, centralized: share },
      killed: 1,
      resumedFromCheckpoint: 1,
      exchanges: positive,
      bytesSent: positive,
      wallSeconds: positive
    })
    expect(code).toBe(0)
    expect(readdirSync(temporaries)).toEqual([])
    expect(processesOf(temporaries)).toEqual([])
  })

  it.concurrent('learns text, shared out as text is, and compares', async () => {
    const file = join(scratch(), 'text.txt')
    writeFileSync(file, 'to be or not to be '.repeat(60))
    const { demo } = demoIn(
      'text',
      ...['--data', `text:${file}?context=8`, '--samples', '20', '--test-samples', '5'],
      ...['--rounds', '3', '--kill', '0', '--json']
    )
    const { stdout, code } = await demo.ended
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      partition: 'iid',
      accuracy: { localOnlyMean: share, swarmMean: share, swarmMin: share, centralized: share }
    })
  })

  it.concurrent.each([
    ['while its daemons start', /3 daemons on this machine/],
    ['while they learn', /round +\d+\//]
  ])('ends when it is interrupted %s, and its daemons with it', async (when, sight) => {
    const { demo, temporaries } = demoIn(when, '--rounds', '100000')
    await demo.says(sight)
    demo.kill('SIGINT')
    const { code, stderr } = await demo.ended
    expect(code).toBe(130)
    expect(stderr).not.toMatch(/^starling: /m)
    expect(processesOf(temporaries).filter(isAlive)).toEqual([])
    expect(readdirSync(temporaries)).toEqual([])
  })
})
