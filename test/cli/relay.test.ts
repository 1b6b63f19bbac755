import { connect, type Socket } from 'node:net'
import { statSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { tcp } from '@libp2p/tcp'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { describe, expect, it } from 'vitest'
import { ControlClient } from '../../peer/control-client.ts'
import { homeAt } from '../../peer/home.ts'
import { askStun } from '../../peer/nat/stun-client.ts'
import { commonServices, commonSettings } from '../../peer/network/network.ts'
import type { RelayStatus } from '../../peer/relay/status.ts'
import type { Status } from '../../peer/status.ts'
import {
  factsOf,
  frugal,
  isAlive,
  joinLinePattern,
  Running,
  type RunOptions,
  scratchOfFile,
  starling
} from './starling.ts'

/** The relay as a user runs it: a process of its own. */

const scratch = scratchOfFile()

interface Started {
  readonly running: Running
  readonly home: string
  readonly address: string
}

async function startRelay(name: string, env: RunOptions['env'] = {}): Promise<Started> {
  const home = join(scratch(), name)
  const args = ['relay', '--home', home, '--listen', '/ip4/0.0.0.0/tcp/0', '--stun-port', '0']
  const running = new Running(args, { env })
  const [, address = ''] = await running.says(joinLinePattern)
  await running.says(/^ready$/m)
  const port = multiaddr(address).getComponents()[1]?.value ?? ''
  const [peer = ''] = /[^/]+$/.exec(address) ?? []
  return { running, home, address: `/ip4/127.0.0.1/tcp/${port}/p2p/${peer}` }
}

async function statusOf(home: string): Promise<RelayStatus> {
  return (await (await ControlClient.open(homeAt(home))).status()) as RelayStatus
}

/** Dial from an address of its own, as another machine would. */
async function dialFrom(localAddress: string, address: string): Promise<number> {
  const settings = await commonSettings({
    privateKey: await generateKeyPair('Ed25519'),
    listen: [],
    announce: [],
    datastorePath: null,
    onTrouble: () => undefined
  })
  const node = await createLibp2p({
    ...settings,
    transports: [tcp({ dialOpts: { localAddress } as object })],
    services: commonServices()
  })
  await node.start()
  const startedMs = performance.now()
  try {
    const connection = await node.dial(multiaddr(address))
    await node.services.ping.ping(connection.remotePeer)
    return performance.now() - startedMs
  } finally {
    await node.stop()
  }
}

function portOf(address: string): number {
  return Number(/tcp\/(\d+)/.exec(address)?.[1])
}

describe('starling relay', () => {
  it('says who it is, how to join, which ports to open, and what it carries', async () => {
    const { running, home } = await startRelay('greeting')
    expect(statSync(join(home, 'identity')).mode & 0o777).toBe(0o600)
    await running.says(/--public-ip/) // nobody told it how the world sees it
    await running.says(/ufw allow \d+\/tcp && ufw allow \d+\/udp/)
    await running.says(/131\.1 kB and 2 min a connection: no models/)

    const { stdout } = await starling(['status', '--home', home])
    expect(stdout).toMatch(/role\s+relay/)
    expect(stdout).toMatch(/reservations\s+0 of 512/)
    expect((await starling(['peers', '--home', home])).stdout).toContain('relayed')

    expect((await starling(['stop', '--home', home])).code).toBe(0)
    expect(isAlive(running.pid)).toBe(false)
  })

  it('is the same peer after a restart, and ends within five seconds when it is told to', async () => {
    const first = await startRelay('again')
    const { peerId } = await statusOf(first.home)
    const askedMs = performance.now()
    first.running.kill('SIGTERM')
    expect((await first.running.ended).code).toBe(0)
    expect(performance.now() - askedMs).toBeLessThan(5_000)

    const second = await startRelay('again')
    expect((await statusOf(second.home)).peerId).toBe(peerId)
    second.running.kill('SIGTERM')
    await second.running.ended
  })

  it('is all that a newcomer needs to know: task, peers and models come by way of it', async () => {
    const { running, home, address } = await startRelay('meeting')
    const task = join(scratch(), 'digits.json')
    await starling(['task', 'new', task, '--home', join(scratch(), 'ana')])
    const up = (name: string, ...more: readonly string[]) =>
      new Running(['up', '--home', join(scratch(), name), '--join', address, ...frugal, ...more])
    const ana = up('ana', '--task', task, '--wait-for', '0')
    await ana.says(/^ready$/m)
    const ben = up('ben')
    await ben.says(/working on task bafy/)
    await ben.says(/averaged with 1 peer/)

    const { tasks, helpers } = await statusOf(home)
    expect(tasks).toEqual([{ task: expect.stringMatching(/^bafy/) as string, peers: 2 }])
    expect(helpers).toEqual([])
    running.kill('SIGTERM')
    expect((await running.ended).code).toBe(0)
    // Once they have met, they do without it.
    const { peers } = await factsOf<Status>('status', '--home', join(scratch(), 'ben'))
    expect(peers).toMatchObject({ connected: 1, direct: 1 })
    for (const each of [ana, ben]) each.kill('SIGTERM')
    await Promise.all([ana.ended, ben.ended])
  })

  it('answers STUN on the port that it names', async () => {
    const { running, home } = await startRelay('stun')
    const { stun } = await statusOf(home)
    const seen = await askStun({ server: '127.0.0.1', port: stun?.port ?? 0 })
    expect(seen.ip).toBe('127.0.0.1')
    running.kill('SIGTERM')
    await running.ended
  })

  it('stays open to others, and small, under a thousand silent sockets and endless handshakes', async () => {
    const { running, home, address } = await startRelay('flood')
    await dialFrom('127.9.9.9', address) // so that nothing is loaded for the first time below
    const before = await statusOf(home)

    const flood = new Flood(portOf(address), 1_000)
    await flood.turnedAway(2_000)
    expect(await dialFrom('127.9.9.9', address)).toBeLessThan(5_000) // from far away
    expect(await dialFrom('127.0.0.2', address)).toBeLessThan(5_000) // from the flood's own subnet
    const during = await statusOf(home)
    flood.stop()

    expect(during.memory.bytes - before.memory.bytes).toBeLessThan(64 * 2 ** 20)
    expect(during.connections.open).toBeLessThanOrEqual(64)
    expect(during.refused['too-fast']).toBeGreaterThan(500)
    expect(during.bugs).toBe(0)
    running.kill('SIGTERM')
    expect((await running.ended).code).toBe(0)
  })

  it.each([
    [['--public-ip', 'example.org'], /is no IP address/],
    [['--public-ip', '203.0.113.5', '--port', '0'], /--port with a fixed port/],
    [['--per-ip', '0'], /a whole number from 1/],
    [['--listen', '/dns4/x'], /is no TCP multiaddr/]
  ])('refuses %s', async (options, complaint) => {
    const home = join(scratch(), 'refused')
    const { code, stderr } = await starling(['relay', '--home', home, ...options])
    expect(code).toBe(2)
    expect(stderr).toMatch(complaint)
  })

  it('loads nothing that trains', async () => {
    const list = join(scratch(), 'loaded.txt')
    const hook = join(scratch(), 'hook.mjs')
    await writeFile(
      hook,
      `import { registerHooks } from 'node:module'
       import { appendFileSync } from 'node:fs'
       const load = (url, context, next) => (appendFileSync('${list}', url + '\\n'), next(url, context))
       registerHooks({ load })`
    )
    const { running } = await startRelay('loads', { NODE_OPTIONS: `--import ${hook}` })
    running.kill('SIGTERM')
    await running.ended
    const loaded = (await readFile(list, 'utf8')).split('\n')
    expect(loaded.filter((url) => url.includes('/peer/relay/'))).not.toEqual([])
    const training = /@tensorflow|\/src\/learning\/(engine|layers|model)\/|trainer/
    expect(loaded.filter((url) => training.test(url))).toEqual([
      expect.stringMatching(/backend-names/)
    ])
  })

  it('prints its facts as one document', async () => {
    const home = join(scratch(), 'json')
    const running = new Running(['relay', '--home', home, '--port', '0', '--no-stun', '--json'])
    await running.says(/\n}\n$/)
    const { peerId, stun } = await factsOf<RelayStatus>('status', '--home', home)
    running.kill('SIGTERM')
    const { stdout } = await running.ended
    expect(JSON.parse(stdout)).toMatchObject({ role: 'relay', peerId })
    expect(stun).toBeNull()
  })
})

/** So many sockets from 127.0.0.1 at all times: half say nothing, half begin a handshake. */
class Flood {
  readonly #port: number
  readonly #sockets = new Set<Socket>()
  readonly #waiting = new Set<() => void>()
  #turnedAway = 0
  #isOver = false

  constructor(port: number, count: number) {
    this.#port = port
    for (let i = 0; i < count; i++) this.#open()
  }

  /** Settles when so many have been closed by the other side. */
  async turnedAway(count: number): Promise<void> {
    while (this.#turnedAway < count) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve))
    }
  }

  stop(): void {
    this.#isOver = true
    for (const socket of this.#sockets) socket.destroy()
  }

  #open(): void {
    const socket = connect({ port: this.#port, host: '127.0.0.1', localAddress: '127.0.0.1' })
    this.#sockets.add(socket)
    if (this.#sockets.size % 2 === 0) socket.write('\x13/multistream/1.0.0\n')
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#sockets.delete(socket)
      this.#turnedAway++
      for (const check of this.#waiting) check()
      this.#waiting.clear()
      if (!this.#isOver) setTimeout(() => this.#open(), 100)
    })
  }
}
