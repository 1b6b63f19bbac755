import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { factsOf, frugal, joinLinePattern, Running, scratchOfFile } from './starling.ts'

/** The way back in when those whom one began with are gone. */

const scratch = scratchOfFile()

interface Member {
  readonly daemon: Running
  readonly line: string
  readonly id: string
}

async function memberAt(home: string, ...args: readonly string[]): Promise<Member> {
  const daemon = new Running(['up', '--home', home, ...frugal, ...args])
  const [, line = ''] = await daemon.says(joinLinePattern)
  await daemon.says(/^ready$/m)
  return { daemon, line, id: line.split('/').at(-1) ?? '' }
}

describe('a member that comes back', () => {
  it('finds the swarm again by peers of its last life, with its only bootstrap dead', async () => {
    const [task, a, b, c] = ['task.json', 'a', 'b', 'c'].map((name) => join(scratch(), name))
    await factsOf('task', 'new', task ?? '', '--interval', '1', '--model', 'logreg')
    const ana = await memberAt(a ?? '', '--task', task ?? '')
    const ben = await memberAt(b ?? '', '--join', ana.line)
    const cleo = await memberAt(c ?? '', '--join', ana.line)
    await Promise.all([
      cleo.daemon.says(new RegExp(`peer ${ben.id} is here`)), // whom nobody told it to join
      ben.daemon.says(new RegExp(`peer ${cleo.id} is here`))
    ])

    cleo.daemon.kill('SIGTERM')
    await cleo.daemon.ended
    ana.daemon.kill('SIGKILL')
    await ana.daemon.ended
    await ben.daemon.says(new RegExp(`peer ${ana.id} is gone`))

    const back = new Running(['up', '--home', c ?? '', ...frugal])
    await back.says(new RegExp(`peer ${ben.id} is here`), 30_000)
    await back.says(/^ready$/m)
    for (const daemon of [ben.daemon, back]) daemon.kill('SIGTERM')
    expect(await Promise.all([ben.daemon.ended, back.ended])).toMatchObject([
      { code: 0 },
      { code: 0 }
    ])
  })
})
