import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Status } from '../../peer/status.ts'
import {
  factsOf,
  isAlive,
  joinLinePattern,
  frugal,
  Running,
  scratchOfFile,
  starling
} from './starling.ts'

/** The three terminals of somebody who tries it for the first time, in their order. */

const scratch = scratchOfFile()

const reachabilities = ['public', 'punchable', 'relay-only', 'isolated', 'unknown']
const number = expect.any(Number) as number
const string = expect.any(String) as string

/** What programs may rely on in `status --json`. */
const promised = {
  peerId: expect.stringMatching(/^12D3/) as string,
  version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
  task: expect.stringMatching(/^bafy/) as string,
  state: string,
  round: number,
  steps: number,
  samplesSeen: number,
  loss: number,
  peers: { known: number, connected: number, direct: number, relayed: number },
  reachability: expect.toBeOneOf(reachabilities) as string,
  listen: expect.arrayContaining([string]) as string[],
  join: expect.stringMatching(/^\/ip4\/127\.0\.0\.1\/tcp\/\d+\/p2p\/12D3/) as string,
  exchanges: { ok: number, failed: number, rejected: number },
  bytes: { sent: number, received: number },
  lastCheckpoint: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
  uptimeSeconds: number
}

async function statusOf(home: string): Promise<Status> {
  return factsOf<Status>('status', '--home', home)
}

/** The first status that fits. */
async function statusWhen(home: string, fits: (status: Status) => boolean): Promise<Status> {
  for (let tries = 0; tries < 60; tries++) {
    const status = await statusOf(home)
    if (fits(status)) return status
  }
  throw new Error(`it never came to that: ${JSON.stringify(await statusOf(home))}`)
}

const hasMerged = ({ exchanges, lastCheckpoint, loss }: Status): boolean =>
  exchanges.ok > 0 && lastCheckpoint !== null && loss !== null

describe('a swarm of two', () => {
  it.concurrent(
    'comes about, learns, survives an interruption, and ends when it is told to',
    async () => {
      const task = join(scratch(), 'task.json')
      const [a, b] = [join(scratch(), 'a'), join(scratch(), 'b')]
      const { cid } = await factsOf<{ cid: string }>('task', 'new', task, '--interval', '0.2')

      const ana = new Running(['up', '--task', task, '--home', a, ...frugal])
      const [, line = ''] = await ana.says(joinLinePattern)
      await ana.says(/^ready$/m)
      const up = ['up', '--home', b, ...frugal]
      const ben = new Running([...up, '--join', line])
      await ben.says(/^ready$/m)

      const status = await statusWhen(b, hasMerged)
      expect(status).toMatchObject({ ...promised, task: cid, resumedRound: null, bugs: 0 })
      expect(typeof status.accuracy).toMatch(/number|object/)
      const { peers } = await factsOf<{ peers: { peer: string }[] }>('peers', '--home', b)
      expect(peers.map(({ peer }) => peer)).toEqual([line.split('/').at(-1)])

      const [text, table] = await Promise.all(
        ['status', 'peers'].map((command) => starling([command, '--home', b]))
      )
      expect(text?.stdout).toContain(cid)
      expect(text?.stdout).toMatch(/exchanges +\d+ ok/)
      expect(table?.stdout).toContain(line.split('/').at(-1))
      expect(table?.stdout).toMatch(/same task +│ +direct/)

      const interruptedMs = performance.now()
      ben.kill('SIGINT')
      expect(await ben.ended).toMatchObject({ code: 0 })
      expect(performance.now() - interruptedMs).toBeLessThan(5_000)
      expect(await readdir(join(b, 'checkpoints', cid))).not.toEqual([])

      const again = new Running(up)
      await again.says(/^ready$/m)
      const resumed = await statusWhen(b, hasMerged)
      expect(resumed).toMatchObject({ task: cid, peerId: status.peerId })
      expect(resumed.resumedRound).toBeGreaterThanOrEqual(status.round)
      expect(resumed.peers.connected).toBe(1)

      ana.kill('SIGSTOP') // a peer that does not answer makes the goodbye take a while
      again.kill('SIGINT')
      await again.says(/once more to end at once/)
      again.kill('SIGINT')
      expect(await again.ended).toMatchObject({ code: 130 })
      ana.kill('SIGCONT')

      const stopped = await starling(['stop', '--home', a])
      expect(stopped).toMatchObject({ code: 0, stderr: '' })
      expect(stopped.stdout).toContain(String(ana.pid))
      expect(await ana.ended).toMatchObject({ code: 0 })
    }
  )
})

describe('a daemon', () => {
  it.concurrent('is there in the background after up --detach, until it is stopped', async () => {
    const [task, home] = [join(scratch(), 'detached.json'), join(scratch(), 'detached')]
    await starling(['task', 'new', task])

    const { pid, ...facts } = await factsOf<Status & { pid: number }>(
      ...['up', '--task', task, '--home', home, ...frugal, '--detach']
    )
    try {
      expect(facts).toMatchObject({ peerId: promised.peerId, join: promised.join, home })
      expect(isAlive(pid)).toBe(true)
      expect((await statusOf(home)).peerId).toBe(facts.peerId)

      const second = await starling(['up', '--home', home, ...frugal, '--detach'])
      expect(second).toMatchObject({ code: 3, stdout: '' })
      expect(second.stderr).toMatch(new RegExp(`another daemon \\(process ${pid}\\) uses`))

      expect(await factsOf('stop', '--home', home)).toEqual({ stopped: true, pid })
      expect(isAlive(pid)).toBe(false)
    } finally {
      if (isAlive(pid)) process.kill(pid, 'SIGKILL')
    }
  })

  it.concurrent(
    'that cannot live says why from the background too, and with its own exit code',
    async () => {
      const [task, home] = [join(scratch(), 'hopeless.json'), join(scratch(), 'hopeless')]
      await starling(['task', 'new', task])
      const up = ['up', '--task', task, '--home', home, ...frugal, '--data', 'csv:no.csv?label=1']
      const ended = await starling([...up, '--detach'])
      expect(ended).toMatchObject({ code: 2, stdout: '' })
      expect(ended.stderr).toMatch(/^starling: there is no CSV file at no.csv$/m)
      expect((await starling(['status', '--home', home])).code).toBe(3)
    }
  )

  it.concurrent(
    'keeps looking for a swarm that is not there yet, says when, and joins it',
    async () => {
      const [task, a, b] = ['late.json', 'late-a', 'late-b'].map((name) => join(scratch(), name))
      const { cid } = await factsOf<{ cid: string }>('task', 'new', task ?? '')
      const founder = ['up', '--task', task ?? '', '--home', a ?? '']
      const first = new Running([...founder, ...frugal])
      const [, line = ''] = await first.says(joinLinePattern)
      await first.says(/^ready$/m)
      await starling(['stop', '--home', a ?? ''])

      const late = new Running(['up', '--task', cid, '--join', line, '--home', b ?? '', ...frugal])
      await late.says(/cannot reach \S+: .*; trying again in \d+ s/)
      const back = new Running([
        ...founder,
        ...frugal.slice(2),
        '--listen',
        line.replace(/\/p2p\/.*/, '')
      ])
      expect((await late.says(/working on task (\S+)/))[1]).toBe(cid)
      for (const each of [late, back]) each.kill('SIGTERM')
      expect(await Promise.all([late.ended, back.ended])).toMatchObject([{ code: 0 }, { code: 0 }])
    }
  )
})
