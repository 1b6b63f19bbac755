import { cpSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Status } from '../../peer/status.ts'
import {
  factsOf,
  joinLinePattern,
  frugal,
  Running,
  scratchOfFile,
  starling,
  type Ended
} from './starling.ts'

/** Who comes back to a home in which something is not as it was left. */

const scratch = scratchOfFile()

/** A home with the last two checkpoints of a task. */
async function used(name: string): Promise<{ home: string; task: string; cid: string }> {
  const [home, task] = [join(scratch(), name), join(scratch(), `${name}.json`)]
  const choices = ['--interval', '0', '--name', name, '--model', 'logreg']
  const { cid } = await factsOf<{ cid: string }>('task', 'new', task, ...choices)
  await lifeOf(home, '--task', task, '--rounds', '3')
  return { home, task, cid }
}

/** Run a daemon until it has done all its rounds, then end it. */
async function lifeOf(home: string, ...args: string[]): Promise<Ended> {
  const daemon = new Running(['up', '--home', home, ...frugal, ...args])
  await daemon.says(/^ready$/m)
  await daemon.says(/all \d+ rounds done/)
  daemon.kill('SIGTERM')
  const ended = await daemon.ended
  expect(ended.code).toBe(0)
  return ended
}

function checkpointsOf(home: string, cid: string): string[] {
  const directory = join(home, 'checkpoints', cid)
  return readdirSync(directory)
    .sort()
    .map((name) => join(directory, name))
}

describe('whoever comes back', () => {
  it.concurrent.each([
    ['cut short', (path: string) => truncateSync(path, 1_000)],
    [
      'damaged',
      (path: string) => {
        const bytes = readFileSync(path)
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
        writeFileSync(path, bytes)
      }
    ]
  ])(
    'to a checkpoint that was %s goes on from the one before, and hears of it',
    async (what, spoil) => {
      const { home, cid } = await used(what.replace(' ', '-'))
      const newest = checkpointsOf(home, cid).at(-1) ?? ''
      spoil(newest)
      const spoiled = readFileSync(newest)

      const { stdout, stderr } = await lifeOf(home, '--rounds', '4')
      const [, round = 'none'] = /resumed +from round (\d)/.exec(stdout) ?? []
      expect(stderr).toContain(newest)
      expect(stderr).toContain(`; going on from round ${round}`)
      expect(readFileSync(newest)).toEqual(spoiled) // it may be worth more to its owner than to us
    }
  )

  it.concurrent('finds no use for the checkpoint of another task', async () => {
    const { home, cid } = await used('one')
    const other = join(scratch(), 'another.json')
    const { cid: otherCid } = await factsOf<{ cid: string }>(
      ...['task', 'new', other, '--model', 'logreg', '--interval', '0']
    )
    const directory = join(home, 'checkpoints', otherCid)
    mkdirSync(directory, { mode: 0o700 })
    cpSync(checkpointsOf(home, cid).at(-1) ?? '', join(directory, 'checkpoint-000000000001'))

    const { stdout, stderr } = await lifeOf(home, '--task', other, '--rounds', '2')
    expect(stderr).toMatch(new RegExp(`belongs to task ${cid}, not ${otherCid}; starting anew`))
    expect(stdout).not.toContain('resumed')
    expect(checkpointsOf(home, cid)).toHaveLength(2)
  })

  it.concurrent('with another task than the swarm is told both, and ends', async () => {
    const [ours, theirs] = ['ours', 'theirs'].map((name) => join(scratch(), `${name}.json`))
    const [a, b] = await Promise.all(
      [ours, theirs].map((file, index) =>
        factsOf<{ cid: string }>('task', 'new', file ?? '', '--seed', String(index))
      )
    )
    const founder = new Running([
      'up',
      '--task',
      theirs ?? '',
      '--home',
      join(scratch(), 'founder'),
      ...frugal
    ])
    const [, line = ''] = await founder.says(joinLinePattern)
    const { code, stderr } = await starling([
      'up',
      '--task',
      ours ?? '',
      '--join',
      line,
      '--home',
      join(scratch(), 'guest'),
      ...frugal
    ])
    expect(code).toBe(2)
    expect(stderr).toMatch(
      new RegExp(`^starling: .*works on task ${b?.cid}.*; ours is ${a?.cid}`, 'm')
    )

    const status = await factsOf<Status>('status', '--home', join(scratch(), 'founder'))
    expect(status.task).toBe(b?.cid)
    founder.kill('SIGTERM')
    expect((await founder.ended).code).toBe(0)
  })
})
