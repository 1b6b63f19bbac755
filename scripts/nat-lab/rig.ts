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

export class Rig {
  readonly lab: Lab
  readonly internet: Internet
  readonly line: AccessLine
  #lives = 0

  constructor(lab: Lab, line: AccessLine) {
    this.lab = lab
    this.internet = new Internet(lab)
    this.line = line
  }

  /** A running `starling relay`. @param more - options of that command */
  async helper(number: number, more: readonly string[] = []): Promise<Helper> {
    const machine = await publicMachine(this.internet, `helper${number}`, number)
    countTraffic(machine.host)
    const daemon = new Member(machine.host, this.directory('helper'), [
      ...['relay', '--port', String(helperPort), ...more]
    ])
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
    return new Member(home.host, this.directory(home.name), ['up', ...joins, ...more])
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
