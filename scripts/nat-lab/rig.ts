import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { binPath } from '../../src/cli/version.ts'
import { Home, publicMachine, type Machine } from './home.ts'
import type { HomeKind } from './homes.ts'
import { Internet, type AccessLine } from './internet.ts'
import type { Lab } from './lab.ts'
import { Member } from './member.ts'
import { countTraffic } from './traffic.ts'

/** Daemons in a lab: helpers on the internet, members in homes. */

const helperPort = 4_001

export interface Helper extends Machine {
  readonly daemon: Member
  /** What others join by. */
  readonly address: string
}

export interface RigOptions extends AccessLine {
  /** Directory where daemons' logs stay; else they go with the lab. */
  readonly logs?: string
  /** Members also punch by WebRTC. */
  readonly webrtc?: boolean
}

export class Rig {
  readonly lab: Lab
  readonly internet: Internet
  readonly line: AccessLine
  readonly webrtc: boolean
  readonly #logs: string
  #lives = 0

  constructor(lab: Lab, { logs = lab.directory, webrtc = false, ...line }: RigOptions) {
    this.lab = lab
    this.#logs = logs
    this.webrtc = webrtc
    this.internet = new Internet(lab)
    this.line = line
  }

  /** A running `starling relay`. @param more - options of that command */
  async helper(number: number, more: readonly string[] = []): Promise<Helper> {
    const machine = await publicMachine(this.internet, `helper${number}`, number)
    countTraffic(machine.host)
    const command = ['relay', '--port', String(helperPort), ...more]
    const daemon = new Member(machine.host, this.directory('helper'), command, this.#logs)
    const { peerId } = await daemon.start()
    const address = `/ip4/${machine.addresses.ip4}/tcp/${helperPort}/p2p/${peerId}`
    return { ...machine, daemon, address }
  }

  async home(name: string, kind: HomeKind): Promise<Home> {
    const home = await Home.build(this.internet, name, kind, this.line)
    countTraffic(home.host)
    return home
  }

  /** Not started. @param more - options of `starling up` */
  member(home: Home, helpers: readonly Helper[], more: readonly string[]): Member {
    const joins = helpers.flatMap(({ address }) => ['--join', address])
    const command = ['up', ...joins, ...(this.webrtc ? ['--webrtc'] : []), ...more]
    return new Member(home.host, this.directory(home.name), command, this.#logs)
  }

  /** One of `starling task new`. @returns its file */
  task(name: string, options: readonly string[]): string {
    const file = join(this.lab.directory, `${name}.json`)
    const env = { ...process.env, STARLING_HOME: this.directory('tasks') }
    execFileSync(process.execPath, [binPath, 'task', 'new', file, '--name', name, ...options], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env
    })
    return file
  }

  /** A new one each time. */
  directory(name: string): string {
    const path = join(this.lab.directory, `${name}-${++this.#lives}`)
    mkdirSync(path)
    return path
  }
}
