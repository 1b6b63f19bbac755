import { createHash } from 'node:crypto'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { listening, Running, scratchOfFile, starling, type Ended } from './starling.ts'

/** Whatever a user gets wrong: an exit code, one message that helps, and nothing lost. */

const scratch = scratchOfFile()
const at = (...names: string[]): string => join(scratch(), ...names)
const write = (name: string, content: string | Buffer): void => writeFileSync(at(name), content)

const stranger = '12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN'
const occupant = createServer()

beforeAll(async () => {
  mkdirSync(at('inputs'))
  const { stderr } = await starling(['task', 'new', at('inputs/task.json')])
  expect(stderr).toBe('')
  const manifest = readFileSync(at('inputs/task.json'), 'utf8')
  write('inputs/not-json.json', '{ "name": ')
  write('inputs/wrong-key.json', manifest.replace('"training"', '"trainning"'))
  write('inputs/wrong-tensors.json', manifest.replace('784', '785'))
  write('inputs/table.csv', 'a,b,kind\n1,2,x\n3,4,y\n5,6,x\n7,8,y\n9,0,x\n')
  write('inputs/hole.csv', 'a,b,kind\n1,2,x\n3,NaN,y\n5,6,x\n')
  write('inputs/long.txt', 'to be or not to be '.repeat(20))
  write('inputs/layers.json', '[{ "kind": "flatten" }, { "kind": "dens", "units": 10 }]')
  write('inputs/three.yaml', '- { kind: flatten }\n- { kind: dense, units: 3 }\n')
  write('inputs/wrong-key.yaml', scenario.replace('evaluateEveryRounds', 'evaluateEachRound'))
  write('inputs/impossible.yaml', scenario.replace('rounds: 2', 'rounds: -2'))
  for (const [name, files] of Object.entries(idxDirectories)) {
    mkdirSync(at('inputs', name))
    for (const [file, bytes] of Object.entries(files)) write(join('inputs', name, file), bytes)
  }

  for (const home of ['odd-config', 'open-key', 'taken-control']) {
    mkdirSync(at('inputs', home), { mode: 0o700 })
  }
  write('inputs/odd-config/config.json', '{ "listne": [] }')
  write('inputs/open-key/identity', 'secret')
  chmodSync(at('inputs/open-key/identity'), 0o644)
  occupant.listen(0, '127.0.0.1')
  await once(occupant, 'listening')
})
afterAll(() => occupant.close())

const scenario = `name: tiny
question: Does it read?
peers: 2
topology: { kind: ring }
rounds: 2
evaluateEveryRounds: 1
`

const idxOf = (magic: number, dimensions: readonly number[], body: readonly number[]): Buffer => {
  const header = Buffer.alloc(4 + 4 * dimensions.length)
  header.writeUInt32BE(magic)
  for (const [place, size] of dimensions.entries()) header.writeUInt32BE(size, 4 + 4 * place)
  return Buffer.concat([header, Buffer.from(body)])
}
const images = idxOf(2051, [2, 1, 3], [0, 51, 255, 1, 2, 3])
const labels = idxOf(2049, [2], [1, 0])
const whole = {
  'train-images-idx3-ubyte': images,
  'train-labels-idx1-ubyte': labels,
  't10k-images-idx3-ubyte': images,
  't10k-labels-idx1-ubyte': labels
}
const idxDirectories = {
  'idx-cut': { ...whole, 'train-images-idx3-ubyte': images.subarray(0, -1) },
  'idx-magic': { ...whole, 'train-images-idx3-ubyte': labels },
  'idx-counts': { ...whole, 'train-labels-idx1-ubyte': idxOf(2049, [3], [1, 0, 1]) },
  'fashion-mnist': { ...whole, 't10k-labels-idx1-ubyte': idxOf(2049, [2], [1, 10]) }
}

interface Case {
  readonly what: string
  readonly args: () => readonly string[]
  readonly env?: () => Readonly<Record<string, string>>
  readonly code: number
  readonly says: readonly RegExp[]
}

const up = (...more: string[]): string[] => ['up', '--task', at('inputs/task.json'), ...more]
const run = (...more: string[]): string[] => ['sim', 'run', ...more]
const info = (spec: string): string[] => ['data', 'info', spec]
const input = (name: string): string => at('inputs', name)
const textOf = (name: string): string[] => ['--data', `text:${input(name)}?context=4`]
const takenPort = (): number => (occupant.address() as AddressInfo).port

const cases: readonly Case[] = [
  // the command line
  { what: 'an unknown command', args: () => ['statsu'], code: 2, says: [/statsu/, /mean status/] },
  { what: 'an unknown option', args: () => up('--jion', 'x'), code: 2, says: [/--jion/, /--join/] },
  { what: 'no task and nobody to ask', args: () => ['up'], code: 2, says: [/--task/, /--join/] },
  {
    what: 'a number of rounds below zero',
    args: () => up('--rounds', '-3'),
    code: 2,
    says: [/--rounds/, /-3/, /whole number/]
  },
  {
    what: 'seeds in the wrong order',
    args: () => run('quiet-ring', '--seeds', '5..1'),
    code: 2,
    says: [/--seeds/, /A\.\.B/, /5\.\.1/]
  },
  // the network
  {
    what: 'a malformed multiaddr',
    args: () => ['up', '--join', '127.0.0.1:4001'],
    code: 2,
    says: [/127\.0\.0\.1:4001/, /looks like \/ip4/]
  },
  {
    what: 'a multiaddr without peer id',
    args: () => ['up', '--join', '/ip4/127.0.0.1/tcp/4001'],
    code: 2,
    says: [/\/p2p\/<peer id>/, /join line/]
  },
  {
    what: 'a malformed multiaddr to listen on',
    args: () => up('--listen', '/ip4/300.1.1.1/tcp/x'),
    code: 2,
    says: [/listen: '\/ip4\/300/]
  },
  {
    what: 'a taken port',
    args: () => up('--listen', `/ip4/127.0.0.1/tcp/${takenPort()}`),
    code: 3,
    says: [/port \d+ on 127\.0\.0\.1 is already in use/, /choose another/]
  },
  {
    what: 'status without a daemon',
    args: () => ['status'],
    code: 3,
    says: [/no daemon runs/, /starling up/]
  },
  { what: 'peers without a daemon', args: () => ['peers'], code: 3, says: [/no daemon runs/] },
  { what: 'stop without a daemon', args: () => ['stop'], code: 3, says: [/no daemon runs/] },
  // the home
  {
    what: 'an unknown key in config.json',
    args: () => up('--home', input('odd-config')),
    code: 2,
    says: [/config\.json/, /'listne'; did you mean 'listen'/]
  },
  {
    what: 'a key that others may read',
    args: () => up('--home', input('open-key')),
    code: 3,
    says: [/chmod 600/]
  },
  {
    what: 'a control port that is taken',
    args: () => {
      write('inputs/taken-control/config.json', `{ "controlPort": ${takenPort()} }`)
      return up('--home', input('taken-control'), ...listening, '--log-level', 'warn')
    },
    code: 3,
    says: [/port \d+ on 127\.0\.0\.1 is taken/, /control API/]
  },
  // the task
  {
    what: 'a task file that is not there',
    args: () => ['up', '--task', input('none.json')],
    code: 2,
    says: [/none\.json/, /starling task new/]
  },
  {
    what: 'a task file that is no JSON',
    args: () => ['up', '--task', input('not-json.json')],
    code: 2,
    says: [/not-json\.json is neither JSON nor YAML/]
  },
  {
    what: 'a task with an unknown key',
    args: () => ['up', '--task', input('wrong-key.json')],
    code: 2,
    says: [/'trainning'; did you mean 'training'/]
  },
  {
    what: 'a task with the tensors of another model',
    args: () => ['up', '--task', input('wrong-tensors.json')],
    code: 2,
    says: [/other tensors than its model/, /remove 'tensors'/]
  },
  // the model
  {
    what: 'a layer of an unknown kind',
    args: () => ['task', 'new', at('never.json'), '--layers', input('layers.json')],
    code: 2,
    says: [/layers\.json is not valid/, /layers\.1\.kind: .*'dens'; did you mean 'dense'/]
  },
  {
    what: 'a list of layers that does not fit the data',
    args: () => ['demo', '--layers', input('three.yaml')],
    code: 2,
    says: [/last layer 'dense_1' gives \[3\].* 10 units/]
  },
  {
    what: 'a preset that is not for such data',
    args: () => [
      ...['demo', '--peers', '2', '--samples', '1', '--partition', 'iid', '--model', 'resnet8'],
      ...['--data', `csv:${input('table.csv')}?label=kind`]
    ],
    code: 2,
    says: [/residual network needs images .* \[2\]: use 'mlp' or 'tabular'/]
  },
  {
    what: 'text for a model of images',
    args: () => ['task', 'new', at('never.json'), '--model', 'cnn', ...textOf('long.txt')],
    code: 2,
    says: [/'cnn' .* needs images/]
  },
  {
    what: 'hidden layers of a model that has none',
    args: () => ['task', 'new', at('never.json'), '--model', 'logreg', '--hidden', '3'],
    code: 2,
    says: [/'logreg' is not like that: .*'hidden'/]
  },
  {
    what: 'two models at once',
    args: () => ['demo', '--model', 'mlp', '--layers', input('three.yaml')],
    code: 2,
    says: [/--layers <file>' cannot be used with option '--model/]
  },
  // the data
  { what: 'images cut short', args: () => info(`idx:${input('idx-cut')}`), code: 2, says: [/cut/] },
  {
    what: 'labels in place of images',
    args: () => info(`idx:${input('idx-magic')}`),
    code: 2,
    says: [/magic number 2049, expected 2051/]
  },
  {
    what: 'more labels than images',
    args: () => info(`idx:${input('idx-counts')}`),
    code: 2,
    says: [/3 labels, but .* has 2 images/]
  },
  {
    what: 'a label out of range',
    args: () => info('fashion-mnist'),
    env: () => ({ STARLING_DATA: at('inputs') }),
    code: 2,
    says: [/label 10 at sample 1/, /expected 0 to 9/]
  },
  {
    what: 'a table without that column',
    args: () => info(`csv:${input('table.csv')}?label=knid`),
    code: 2,
    says: [/no column 'knid'; did you mean 'kind'/]
  },
  {
    what: 'a table with a hole',
    args: () => info(`csv:${input('hole.csv')}?label=kind`),
    code: 2,
    says: [/hole\.csv line 3: column 2 holds 'NaN'/]
  },
  {
    what: 'a text that is no text',
    args: () => info(`text:${input('idx-cut/train-labels-idx1-ubyte')}`),
    code: 2,
    says: [/train-labels-idx1-ubyte is no text: character 0/]
  },
  {
    what: 'a text shared out by class',
    args: () => info(`text:${input('long.txt')}?context=4&shard=0/2&partition=dirichlet:1`),
    code: 2,
    says: [/'dirichlet' shares samples out by their class/, /take 'iid'/]
  },
  {
    what: 'an empty shard',
    args: () => up('--data', 'glyphs?limit=3&shard=4/5', ...listening, '--log-level', 'warn'),
    code: 2,
    says: [/5 peers .* need 5 samples, there are 3/]
  },
  {
    what: 'data of another shape than the task',
    args: () =>
      up(
        ...['--data', `csv:${input('table.csv')}?label=kind`],
        ...[...listening, '--log-level', 'warn']
      ),
    code: 2,
    says: [/\[28, 28, 1\] in 10 classes/, /\[2\] in 2 classes/]
  },
  // the simulator
  {
    what: 'a scenario with an unknown key',
    args: () => run(input('wrong-key.yaml')),
    code: 2,
    says: [/'evaluateEachRound'; did you mean 'evaluateEveryRounds'/]
  },
  {
    what: 'a scenario with an impossible value',
    args: () => run(input('impossible.yaml')),
    code: 2,
    says: [/rounds: .*>=1/]
  },
  {
    what: 'a scenario that nobody knows',
    args: () => run('quite-ring'),
    code: 2,
    says: [/'quite-ring'; did you mean 'quiet-ring'/]
  },
  {
    what: 'an override of a key that is not there',
    args: () => run('quiet-ring', '--set', 'faultz=[]'),
    code: 2,
    says: [/'faultz'; did you mean 'faults'/]
  }
]

/** One message: a headline and what belongs to it, and no trace of where in the code. */
function expectOneMessage({ stdout, stderr }: Ended): void {
  expect(stdout).toBe('')
  expect(stderr.match(/^(starling|error): /gm)).toHaveLength(1)
  expect(stderr).toMatch(/^(starling|error): /)
  expect(stderr).not.toMatch(/^\s+at \S+.*:\d+/m)
  expect(stderr).not.toMatch(/mistake in starling/)
  expect(stderr.trim().split('\n').length).toBeLessThanOrEqual(6)
}

function digestsOfInputs(): Record<string, string> {
  const files = readdirSync(at('inputs'), { recursive: true, encoding: 'utf8' })
  const digest = (path: string): string =>
    createHash('sha256').update(readFileSync(path)).digest('hex')
  return Object.fromEntries(
    files
      .filter((file) => statSync(input(file)).isFile() && !file.startsWith('taken-control'))
      .map((file) => [file, digest(input(file))])
  )
}

describe('a user is told', () => {
  let before: Record<string, string>
  beforeAll(() => {
    before = digestsOfInputs()
  })

  it.concurrent.each(cases.map((each, index) => ({ ...each, index })))(
    'of $what, with exit code $code',
    async ({ args, code, says, index, env: more }) => {
      const env = { STARLING_HOME: at(`home-${index}`), ...more?.() }
      const ended = await starling(args(), { env })
      for (const pattern of says) expect(ended.stderr).toMatch(pattern)
      expect(ended.code).toBe(code)
      expectOneMessage(ended)
    }
  )

  it('and the files are as they were', () => {
    const after = digestsOfInputs()
    expect(after).toMatchObject(before)
  })
})

describe('a bootstrap peer that is not there', () => {
  it('is no bad input: waiting may help', async () => {
    const address = `/ip4/127.0.0.1/tcp/${takenPort()}/p2p/${stranger}`
    const daemon = new Running(['up', '--join', address, '--home', at('alone'), ...listening])
    await daemon.says(/cannot reach .*; trying again in \d+ s/)
    await daemon.says(/^ready$/m)
    daemon.kill('SIGTERM')
    expect((await daemon.ended).code).toBe(0)
  })
})
