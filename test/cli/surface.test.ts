import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import type { Result, SeedsResult } from '../../sim/run.ts'
import {
  binPath,
  factsOf,
  isAlive,
  listening,
  Running,
  scratchOfFile,
  starling
} from './starling.ts'

/** What the command line promises to people who read and programs that parse. */

const scratch = scratchOfFile()
const at = (name: string): string => join(scratch(), name)

/** Runs many command lines in one process: loading it all takes longer than what they do. */
const helpOfAll = `
const { main } = await import(process.argv[1])
for (const words of JSON.parse(process.argv[2])) await main(['', '', ...words, '--help'])`

describe('help', () => {
  it('of every command has an example', () => {
    const commands = [
      [],
      ...['demo', 'init', 'id', 'up', 'status', 'peers', 'ping', 'log', 'stop', 'invite'].map(
        (name) => [name]
      ),
      ...['list', 'add', 'rm'].map((name) => ['bootstrap', name]),
      ...['get', 'set', 'unset'].map((name) => ['config', name]),
      ['key', 'new'],
      ...['new', 'check', 'show', 'list'].map((name) => ['task', name]),
      ...['run', 'compare', 'list', 'show'].map((name) => ['sim', name]),
      ['data', 'info']
    ]
    const mainPath = binPath.replace('bin.ts', 'main.ts')
    const { stdout, status } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', helpOfAll, mainPath, JSON.stringify(commands)],
      { encoding: 'utf8' }
    )
    const pages = stdout.split(/^Usage: /m).slice(1)
    expect(pages).toHaveLength(commands.length)
    for (const [index, words] of commands.entries()) {
      expect(pages[index]).toContain(['starling', ...words].join(' '))
      expect(pages[index]).toMatch(
        new RegExp(`Examples?:\\n  \\$ ${['starling', ...words].join(' ')}`)
      )
    }
    expect(status).toBe(0)
  })
})

describe('a reader that has seen enough', () => {
  it('ends a command that only prints, without a word', async () => {
    const running = new Running(['task', 'new', '--help'])
    running.stopReading()
    expect(await running.ended).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  it('ends no daemon', async () => {
    const home = at('unread')
    const running = new Running(['relay', '--home', home, ...listening, '--no-stun'])
    running.stopReading()
    const status = () => starling(['status', '--home', home])
    await expect.poll(async () => (await status()).code, { timeout: 60_000 }).toBe(0)
    expect((await status()).code).toBe(0) // it has said all that it had to say
    expect((await starling(['stop', '--home', home])).code).toBe(0)
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('an old Node', () => {
  const oldNode = '/usr/bin/node'
  const isOld = (path: string): boolean => {
    const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
    return Number(/^v(\d+)/.exec(stdout)?.[1] ?? 99) < 22
  }
  const complaint = /^starling needs Node 22 or newer, and this is Node \d+\.\d+\.\d+ \(/

  it.runIf(existsSync(oldNode) && isOld(oldNode))('is told of, by itself', () => {
    const { outputText } = ts.transpileModule(readFileSync(binPath, 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2024, module: ts.ModuleKind.ESNext }
    })
    writeFileSync(at('bin.mjs'), outputText)
    const { status, stderr } = spawnSync(oldNode, [at('bin.mjs'), '--help'], { encoding: 'utf8' })
    expect(stderr).toMatch(complaint)
    expect(stderr).toContain(oldNode)
    expect(status).toBe(3)
  })

  it('is told of before anything else is loaded', () => {
    writeFileSync(
      at('old.mjs'),
      `Object.defineProperty(process.versions, 'node', { value: '20.1.0' })`
    )
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      ['--import', at('old.mjs'), binPath, 'no such command'],
      { encoding: 'utf8' }
    )
    expect(stderr).toMatch(complaint)
    expect([status, stdout]).toEqual([3, ''])
  })
})

describe('--json', () => {
  it.concurrent.each([
    [['data', 'info', 'glyphs?limit=20&test=10'], 'classes'],
    [['sim', 'list'], 'scenarios'],
    [['sim', 'list', '--rules'], 'rules'],
    [['sim', 'show', 'quiet-ring'], 'arms'],
    [['task', 'list'], 'tasks'],
    [['init'], 'peerId']
  ])('makes %j print one document', async (words, key) => {
    expect(await factsOf(...words, '--home', at(`home-${words.join('-')}`))).toHaveProperty(key)
  })

  it('shows the home that init made: the same id afterwards', async () => {
    const { peerId } = await factsOf('init', '--home', at('mine'))
    expect(await factsOf('id', '--home', at('mine'))).toEqual({ peerId })
    expect((await starling(['id', '--home', at('mine')])).stdout).toBe(`${String(peerId)}\n`)
  })
})

describe('task new', () => {
  it('does not overwrite a file unless it is told to', async () => {
    const file = at('precious.json')
    writeFileSync(file, 'precious')
    const refused = await starling(['task', 'new', file])
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toMatch(/--force/)
    expect(readFileSync(file, 'utf8')).toBe('precious')

    const { cid } = await factsOf('task', 'new', file, '--force')
    expect(await factsOf('task', 'check', file)).toMatchObject({ cid })
  })
})

describe('sim run', () => {
  const scenario = `name: tiny
question: Does it run?
peers: 3
topology: { kind: ring }
data: { source: glyphs, samplesPerPeer: 20, testSamples: 50 }
task: { model: { preset: logreg }, optimizer: { kind: sgd, learningRate: 0.05 }, batchSize: 8, localSteps: 1 }
exchange: { mode: rounds }
rounds: 4
evaluateEveryRounds: 2
checks:
  - { metric: alive, atLeast: 3 }
`
  const file = (): string => {
    writeFileSync(at('tiny.yaml'), scenario)
    return at('tiny.yaml')
  }

  it.concurrent(
    'gives the same digest in two processes, and when it runs twice in one',
    async () => {
      const [first, second, other] = await Promise.all([
        factsOf<Result>('sim', 'run', file(), '--seed', '7'),
        factsOf<Result>('sim', 'run', file(), '--seed', '7', '--twice'),
        factsOf<Result>('sim', 'run', file(), '--seed', '8')
      ])
      expect(first.digest).toMatch(/^[0-9a-f]{64}$/)
      expect(second.digest).toBe(first.digest)
      expect(other.digest).not.toBe(first.digest)
      expect(first).toMatchObject({ scenario: 'tiny', seed: 7, peers: 3, pass: true })
      expect(first.curve.map(({ round }) => round)).toEqual([2, 4])
    }
  )

  it.concurrent('runs several seeds, with a value changed, and writes what it saw', async () => {
    const result = await factsOf<SeedsResult>(
      ...['sim', 'run', file(), '--seeds', '1..2', '--set', 'rounds=2', '--out', at('out')]
    )
    expect(result.runs.map(({ seed }) => seed)).toEqual([1, 2])
    expect(result.runs.map(({ curve }) => curve.length)).toEqual([1, 1])
    expect(result.summary.meanAccuracy).toHaveProperty('sd')

    expect(JSON.parse(readFileSync(at('out/result.json'), 'utf8'))).toEqual(result)
    const events = readFileSync(at('out/events.ndjson'), 'utf8').trim().split('\n')
    expect(JSON.parse(events[0] ?? '')).toMatchObject({ index: 0, source: 'input' })
  })

  /** Enough training for threads to be worth their start. */
  const laborious = ['quiet-ring', '--set', 'rounds=10', '--set', 'task.localSteps=60']

  it.concurrent(
    'gives the same digest however many threads train, in arms, seeds and repetitions',
    async () => {
      const run = ['sim', 'run', ...laborious, '--set', 'checks=[]', '--seed', '3']
      const [alone, two, three, seeds] = await Promise.all([
        factsOf<Result>(...run, '--workers', '1'),
        factsOf<Result>(...run, '--workers', '2', '--twice'),
        factsOf<Result>(...run, '--workers', '3'),
        factsOf<SeedsResult>(...run, '--workers', '2', '--seeds', '3..4')
      ])
      expect(two.digest).toBe(alone.digest)
      expect(three.digest).toBe(alone.digest)
      expect(seeds.runs[0]?.digest).toBe(alone.digest)
    }
  )

  it.concurrent(
    'ends with a partial report when it is interrupted, with all its threads',
    async () => {
      const running = new Running([
        ...['sim', 'run', ...laborious, '--set', 'rounds=100000', '--workers', '2'],
        ...['--out', at('partial')]
      ])
      const [, line = ''] = await running.says(/^(.*round [1-9].*)$/m)
      expect(line).toMatch(/░ 0 % {2}round \d+ of 100000 {2}\d+ alive/)
      running.kill('SIGINT')
      const { code, stdout } = await running.ended
      expect(code).toBe(130)
      expect(stdout).toContain('PARTIAL: interrupted')
      expect(isAlive(running.pid)).toBe(false)
      expect(JSON.parse(readFileSync(at('partial/result.json'), 'utf8'))).toMatchObject({
        interrupted: true,
        pass: false
      })
      expect(readFileSync(at('partial/report.html'), 'utf8')).toContain('this run was interrupted')
    }
  )

  it.concurrent.each(['0', '65'])('takes no --workers %s', async (workers) => {
    const { code, stderr } = await starling(['sim', 'run', file(), '--workers', workers])
    expect(code).toBe(2)
    expect(stderr).toContain('a whole number from 1 to 64 is expected')
  })

  it.concurrent('ends with 1 when a check fails, and says which', async () => {
    const failing = [file(), '--set', 'checks.0.atLeast=4']
    const { code, stdout } = await starling(['sim', 'run', ...failing])
    expect(code).toBe(1)
    expect(stdout).toMatch(/alive.*4/)
    const { stdout: json } = await starling(['sim', 'run', ...failing, '--json'])
    const { pass, checks } = JSON.parse(json) as Result
    expect(pass).toBe(false)
    expect(checks).toContainEqual({ metric: 'alive', atLeast: 4, value: 3, pass: false })
  })
})
