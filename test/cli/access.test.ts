import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Status } from '../../peer/status.ts'
import { factsOf, frugal, Running, scratchOfFile, starling } from './starling.ts'

/** Private swarms, as their users meet them: real daemons on loopback. */

const scratch = scratchOfFile()
const at = (name: string): string => join(scratch(), name)

interface Ready extends Status {
  readonly link: string
}

/** A daemon that is ready, and what it printed. */
async function up(name: string, ...words: string[]): Promise<{ running: Running; facts: Ready }> {
  const running = new Running([
    'up',
    '--home',
    at(name),
    ...frugal,
    '--json',
    '--rounds',
    '3',
    ...words
  ])
  const [text] = await running.says(/^\{[^]*\n\}\n/m)
  return { running, facts: JSON.parse(text) as Ready }
}

async function newTask(name: string): Promise<string> {
  const file = at(`${name}.json`)
  await starling(['task', 'new', file])
  return file
}

const statusOf = (name: string): Promise<Status> =>
  factsOf<Status & Record<string, unknown>>('status', '--home', at(name))

describe('a private swarm', () => {
  it('is joined with a link, by the one that it is for, and by nobody else', async () => {
    const task = await newTask('private')
    const founder = await up('founder', '--task', task, '--private', '--wait-for', '0')
    expect(founder.facts.access).toBe('invited')
    const { peerId } = await factsOf('init', '--home', at('guest'))
    const { link, until } = await factsOf<{ link: string; until: string }>(
      ...['invite', '--home', at('founder'), '--for', String(peerId), '--days', '2']
    )
    expect(link).toContain(`&via=${founder.facts.join}&invite=`)
    expect(new Date(until).getTime()).toBeGreaterThan(Date.now())

    const guest = await up('guest', '--join', link)
    await guest.running.says(/working on task/)
    await founder.running.says(new RegExp(`peer ${String(peerId)} is here`))

    const other = await starling(['up', '--home', at('other'), ...frugal, '--join', link])
    expect(other.code).toBe(2)
    expect(other.stderr).toContain(`made out to ${String(peerId)}`)

    const stranger = await starling([
      'up',
      '--home',
      at('stranger'),
      ...frugal,
      '--join',
      String(founder.facts.join)
    ])
    expect(stranger.code).toBe(2)
    expect(stranger.stderr).toMatch(/does not let us in: the swarm is private.*starling invite/s)
    await founder.running.says(/is not let in: the swarm is private/)

    // It remembers: the same task, the same swarm, as private as before.
    guest.running.kill('SIGTERM')
    await guest.running.ended
    const again = await up('guest')
    expect(again.facts.access).toBe('invited')
    await again.running.says(new RegExp(`peer ${founder.facts.peerId} is here`))
    expect((await statusOf('founder')).peers.connected).toBe(1)
    for (const each of [again, founder]) each.running.kill('SIGTERM')
  })

  it('of a list parts from whom the list no longer names', async () => {
    const task = await newTask('listed')
    const ana = await factsOf<{ peerId: string }>('init', '--home', at('ana'))
    const ben = await factsOf<{ peerId: string }>('init', '--home', at('ben'))
    const list = at('members')
    await writeFile(list, `# mine\n${ana.peerId}\n${ben.peerId}\n`)
    const first = await up('ana', '--task', task, '--allow', list, '--wait-for', '0')
    expect(first.facts.access).toBe('listed')
    const second = await up('ben', '--join', String(first.facts.join))
    await first.running.says(new RegExp(`peer ${ben.peerId} is here`))

    await writeFile(list, `${ana.peerId}\n`)
    await first.running.says(new RegExp(`peer ${ben.peerId} is gone`))
    await writeFile(list, 'nonsense\n')
    await first.running.says(/line 1: 'nonsense'.*going on with the list as it was/)
    for (const each of [first, second]) each.running.kill('SIGTERM')
  })
})

describe('a swarm key', () => {
  it('is a file for its owner alone, in the format of libp2p, and never overwritten', async () => {
    const file = at('swarm.key')
    expect((await starling(['key', 'new', file])).code).toBe(0)
    const text = await readFile(file, 'utf8')
    expect(text).toMatch(/^\/key\/swarm\/psk\/1\.0\.0\/\n\/base16\/\n[0-9a-f]{64}$/)
    expect(text).toHaveLength(95)
    expect((await stat(file)).mode & 0o777).toBe(0o600)
    const again = await starling(['key', 'new', file])
    expect(again.code).toBe(2)
    expect(await readFile(file, 'utf8')).toBe(text)
  })

  it('lets those talk that have the same, and tells who has another what to look for', async () => {
    const task = await newTask('keyed')
    for (const name of ['one.key', 'two.key']) await starling(['key', 'new', at(name)])
    const first = await up(
      'keyed-a',
      '--task',
      task,
      '--swarm-key',
      at('one.key'),
      '--wait-for',
      '0'
    )
    const join = String(first.facts.join)
    const second = await up('keyed-b', '--join', join, '--swarm-key', at('one.key'))
    await second.running.says(/working on task/)

    const wrong = new Running([
      'up',
      '--home',
      at('keyed-c'),
      ...frugal,
      '--join',
      join,
      '--swarm-key',
      at('two.key')
    ])
    await wrong.says(/cannot reach .*another swarm key/)
    const none = new Running(['up', '--home', at('keyed-d'), ...frugal, '--join', join])
    await none.says(/cannot reach .*another swarm key/)
    for (const each of [wrong, none, first.running, second.running]) each.kill('SIGTERM')
  })
})

describe('starling invite', () => {
  it('says what is missing', async () => {
    const { code, stderr } = await starling(['invite', '--home', at('empty')])
    expect(code).toBe(2)
    expect(stderr).toMatch(/no task yet/)
    const nobody = await starling([
      'invite',
      '--home',
      at('empty'),
      '--task',
      'bafyreiam4l2oq2mag7w5ull7ye3ciwwy5xrrgodmgcl3l4rrqyna243p4y',
      '--for',
      'ben'
    ])
    expect(nobody.code).toBe(2)
    expect(nobody.stderr).toMatch(/'ben' should be a peer id/)
  })
})

describe('commands about peers', () => {
  it('ping, log, bootstrap and config', async () => {
    const task = await newTask('commands')
    const first = await up('cmd-a', '--task', task, '--wait-for', '0')
    const second = await up('cmd-b', '--task', task, '--wait-for', '0')
    const address = String(first.facts.join)
    const home = ['--home', at('cmd-b')]

    expect(await factsOf('bootstrap', 'add', address, ...home)).toMatchObject({ running: true })
    await second.running.says(new RegExp(`peer ${first.facts.peerId} is here`))
    expect(await factsOf('bootstrap', 'list', ...home)).toEqual({ bootstrap: [address] })

    const { pongs } = await factsOf<{ pongs: { ms: number; direct: boolean }[] }>(
      ...['ping', first.facts.peerId, '--count', '1', ...home]
    )
    expect(pongs).toMatchObject([{ direct: true, ms: expect.any(Number) as number }])
    const nobody = await starling([
      'ping',
      '12D3KooWJWEKvSFbben74C7H4YtKjhPMTDxd7gP7zxWSUEeF27st',
      ...home
    ])
    expect(nobody.code).toBe(4)
    expect((await starling(['ping', 'ana', ...home])).code).toBe(2)

    const follower = new Running(['log', '-f', ...home])
    await follower.says(new RegExp(`reached ${address}`))
    const { events } = await factsOf<{ events: { event: { kind: string } }[] }>(
      'log',
      ...home,
      '--lines',
      '500'
    )
    expect(events.map(({ event }) => event.kind)).toContain('peer-joined')
    follower.kill('SIGINT')
    expect((await follower.ended).code).toBe(0)

    await factsOf('bootstrap', 'rm', address, ...home)
    expect(await factsOf('bootstrap', 'list', ...home)).toEqual({ bootstrap: [] })
    expect((await starling(['bootstrap', 'rm', address, ...home])).code).toBe(2)
    expect((await starling(['bootstrap', 'add', '/ip4/1.2.3.4/tcp/1', ...home])).stderr).toMatch(
      /p2p/
    )
    for (const each of [first, second]) each.running.kill('SIGTERM')

    await factsOf('config', 'set', 'port', '4001', ...home)
    await factsOf('config', 'set', 'listen', '[/ip4/127.0.0.1/tcp/4001]', ...home)
    expect(await factsOf('config', 'get', 'port', ...home)).toEqual({ port: 4001 })
    expect((await factsOf('config', 'get', ...home)).listen).toEqual(['/ip4/127.0.0.1/tcp/4001'])
    expect((await starling(['config', 'set', 'prot', '1', ...home])).stderr).toMatch(
      /did you mean 'port'/
    )
    expect((await starling(['config', 'set', 'port', 'high', ...home])).code).toBe(2)
    await factsOf('config', 'unset', 'port', ...home)
    expect(await factsOf('config', 'get', 'port', ...home)).toEqual({ port: 0 })
  })
})
