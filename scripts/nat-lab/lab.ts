import {
  execFileSync,
  spawn,
  spawnSync,
  type ChildProcess,
  type SpawnOptions
} from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { reasonOf } from '../../peer/reason.ts'
import { StarlingError } from '../../src/core/errors.ts'

/**
 * A laboratory of network namespaces. Everything that it makes carries a prefix of its own, so that
 * several run at once, and is gone when the process ends, however it ends short of SIGKILL; what
 * that leaves behind, `sweep` removes.
 */

/** What namespaces of all labs begin with, followed by the process that made them. */
const prefix = 'natlab'

/** With what makes each say something and end. */
const tools = [
  ['ip', '-V'],
  ['nft', '-V'],
  ['miniupnpd', '--version']
] as const

/** @throws STARLING_CHECK_FAILED with what the command said */
function call(command: string, args: readonly string[], input = ''): string {
  try {
    return execFileSync(command, args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })
  } catch (failure) {
    const said = String((failure as { stderr?: unknown }).stderr ?? failure).trim()
    throw new StarlingError(
      'STARLING_CHECK_FAILED',
      `'${[command, ...args].join(' ')}' failed: ${said}${input === '' ? '' : `; it was told:\n${input}`}`
    )
  }
}

/** @throws STARLING_WORKER_FAILED (exit code 3) naming what this machine lacks */
export function demandPrivileges(): void {
  const missing: string[] = []
  if (process.platform !== 'linux') missing.push('Linux')
  else if (process.getuid?.() !== 0)
    missing.push('root: namespaces and nftables are for root alone')
  for (const [tool, ...args] of tools) {
    const { error } = spawnSync(tool, args, { stdio: 'ignore' })
    if (error !== undefined) {
      missing.push(`'${tool}' (Debian: apt-get install iproute2 nftables miniupnpd)`)
    }
  }
  if (missing.length === 0) {
    const refusal = tryOut()
    if (refusal === undefined) return
    missing.push(`to make namespaces with routers in them: ${refusal}`)
  }
  throw new StarlingError('STARLING_WORKER_FAILED', `the NAT lab needs ${missing.join(', and ')}`)
}

/** Containers have root and all tools, and may make no network for all that. */
function tryOut(): string | undefined {
  const ns = `${prefix}${process.pid}-tried`
  try {
    call('ip', ['netns', 'add', ns])
    call('ip', ['netns', 'exec', ns, 'nft', 'add', 'table', 'inet', 'tried'])
    return undefined
  } catch (failure) {
    return reasonOf(failure)
  } finally {
    if (namespaces().includes(ns)) removeNamespace(ns)
  }
}

/** A place with a network of its own. */
export class Namespace {
  /** As `ip netns exec` knows it. */
  readonly ns: string
  readonly name: string
  readonly #children: Set<ChildProcess>

  constructor(ns: string, name: string, children: Set<ChildProcess>) {
    this.ns = ns
    this.name = name
    this.#children = children
    call('ip', ['netns', 'add', ns])
    this.ip('link set lo up')
    // Addresses are there at once, and never found to be somebody else's.
    this.run(
      'sysctl',
      '-qw',
      'net.ipv6.conf.all.accept_dad=0',
      'net.ipv6.conf.default.accept_dad=0'
    )
  }

  /** Lines as `ip` takes them, such as `link set eth0 up`. */
  ip(...lines: readonly string[]): void {
    call('ip', ['-n', this.ns, '-batch', '-'], lines.join('\n') + '\n')
  }

  nft(rules: string): void {
    this.run('nft', { input: rules }, '-f', '-')
  }

  /** @returns its standard output @throws STARLING_CHECK_FAILED when it ends in failure */
  run(command: string, ...args: readonly (string | { readonly input: string })[]): string {
    const words = args.filter((word) => typeof word === 'string')
    const input = args.find((word) => typeof word !== 'string')?.input
    return call('ip', ['netns', 'exec', this.ns, command, ...words], input)
  }

  /** Lives until it ends, is killed, or the lab is closed. Its pid is the command's own. */
  spawn(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
    const child = spawn('ip', ['netns', 'exec', this.ns, command, ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      ...options
    })
    this.#children.add(child)
    child.once('exit', () => this.#children.delete(child))
    child.once('error', () => this.#children.delete(child))
    return child
  }

  /** With all that lives in it. */
  remove(): void {
    removeNamespace(this.ns)
  }
}

export class Lab {
  /** Scratch space, removed with the lab. */
  readonly directory: string
  readonly #prefix = `${prefix}${process.pid}-`
  readonly #children = new Set<ChildProcess>()
  readonly #onExit = (): void => this.close()

  /** @throws as `demandPrivileges` */
  constructor() {
    demandPrivileges()
    this.directory = mkdtempSync(join(tmpdir(), this.#prefix))
    process.on('exit', this.#onExit)
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.once(signal, () => process.exit(130))
    }
  }

  /** @param name - unique in this lab */
  namespace(name: string): Namespace {
    return new Namespace(this.#prefix + name, name, this.#children)
  }

  close(): void {
    process.off('exit', this.#onExit)
    for (const child of this.#children) child.kill('SIGKILL')
    for (const ns of namespaces()) if (ns.startsWith(this.#prefix)) removeNamespace(ns)
    rmSync(this.directory, { recursive: true, force: true })
  }
}

/** A cable: one interface in each of two namespaces, without addresses. It carries when this settles. */
export async function cable(a: Namespace, nameInA: string, b: Namespace, nameInB: string) {
  call('ip', [
    ...['link', 'add', nameInA, 'netns', a.ns, 'type', 'veth'],
    ...['peer', 'name', nameInB, 'netns', b.ns]
  ])
  a.ip(`link set ${nameInA} up`)
  b.ip(`link set ${nameInB} up`)
  // The kernel takes up to a second to notice, and loses what is sent before.
  while (!isUp(a, nameInA) || !isUp(b, nameInB)) await pause(20)
}

function isUp({ ns }: Namespace, name: string): boolean {
  return call('ip', ['-n', ns, 'link', 'show', 'dev', name]).includes('state UP')
}

/** Remove what labs left behind that were killed. @returns the namespaces removed */
export function sweep(): string[] {
  const left = namespaces().filter((ns) => {
    const pid = new RegExp(`^${prefix}(\\d+)-`).exec(ns)?.[1]
    return pid !== undefined && !isAlive(Number(pid))
  })
  left.forEach(removeNamespace)
  return left
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function namespaces(): string[] {
  try {
    return readdirSync('/run/netns')
  } catch {
    return [] // nobody has made one yet
  }
}

function removeNamespace(ns: string): void {
  for (const pid of call('ip', ['netns', 'pids', ns]).split('\n').filter(Boolean)) {
    try {
      process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has just ended by itself.
    }
  }
  // Cables first: names of their other ends are free at once, while a namespace goes in its own time.
  const links = JSON.parse(call('ip', ['-n', ns, '-json', 'link', 'show', 'type', 'veth'])) as {
    readonly ifname?: string
  }[]
  for (const { ifname } of links) {
    if (ifname !== undefined) call('ip', ['-n', ns, 'link', 'del', ifname])
  }
  call('ip', ['netns', 'del', ns])
}
