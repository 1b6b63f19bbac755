import { readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { StarlingError } from '../src/core/errors.ts'
import { diskError, errnoOf, listDirectory, removeFile } from './files.ts'

/**
 * One daemon a home.
 *
 * Each process hangs out a claim: an empty file whose name says who it is. Then it looks who else
 * has one. The claim of a process that no longer lives is removed; next to a living one, it takes
 * its own down and refuses. Of two that start together at least one sees the other, because both
 * hang out before they look; and a dead process's claim never bears the name of a living one, so
 * removing it takes nothing from anybody. (With one shared file, two that find it stale can remove
 * each other's fresh lock.)
 */

/** Whoever may hold a home. Pids are used again, hence the other two. */
interface Holder {
  readonly pid: number
  /** When the process started, in clock ticks since boot; 0 where the system does not say. */
  readonly startTicks: string
  /** Changes with every boot; 0 where the system has none. */
  readonly bootId: string
}

export interface Lock {
  /** The claim's path. */
  readonly path: string
  release(): Promise<void>
}

const claimPattern = /^daemon-(\d{1,10})-(\d{1,20})-([0-9a-f-]{1,36})\.lock$/

/** Two that start together both step back; after a moment of random length one goes first. */
const attemptsMax = 4
const pauseMsMax = 100

/**
 * Take a home, which must exist.
 * @throws STARLING_HOME_LOCKED naming the process that has it
 * @throws STARLING_HOME_UNUSABLE when the claim cannot be written
 */
export async function lockHome(homePath: string): Promise<Lock> {
  const self = holderOf(process.pid)
  const path = join(homePath, claimName(self))
  for (let attempt = 1; ; attempt++) {
    await hangOut(path, homePath)
    const other = await findOther(homePath, self)
    if (other === undefined) return { path, release: () => removeFile(path) }

    await removeFile(path)
    if (attempt === attemptsMax) {
      throw new StarlingError(
        'STARLING_HOME_LOCKED',
        `another daemon (process ${other.pid}) uses ${homePath}: stop it with 'starling stop', ` +
          `or give this one another home with --home. If process ${other.pid} is no daemon, ` +
          `remove ${join(homePath, claimName(other))}`,
        { pid: other.pid }
      )
    }
    await pause(Math.random() * pauseMsMax)
  }
}

async function hangOut(path: string, homePath: string): Promise<void> {
  try {
    await (await open(path, 'wx', 0o600)).close()
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw diskError(error, `cannot lock the home with ${path}`)
    throw new StarlingError(
      'STARLING_HOME_LOCKED',
      `this process (${process.pid}) already uses ${homePath}: one home, one daemon`,
      { pid: process.pid }
    )
  }
}

/** A living holder other than us; claims of dead ones are removed on the way. */
async function findOther(homePath: string, self: Holder): Promise<Holder | undefined> {
  for (const name of await listDirectory(homePath)) {
    const holder = parseClaim(name)
    if (holder === undefined || claimName(holder) === claimName(self)) continue
    if (isAlive(holder)) return holder
    await removeFile(join(homePath, name))
  }
  return undefined
}

/** In doubt, yes: a refusal can be helped, two daemons on one home cannot. */
function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0)
  } catch (error) {
    if (errnoOf(error) === 'ESRCH') return false
    // EPERM: it lives, but is another user's.
  }
  const { startTicks, bootId } = holderOf(holder.pid)
  if (startTicks === ended) return false
  return !differ(startTicks, holder.startTicks) && !differ(bootId, holder.bootId)
}

function differ(a: string, b: string): boolean {
  return a !== unknown && b !== unknown && a !== b
}

function claimName({ pid, startTicks, bootId }: Holder): string {
  return `daemon-${pid}-${startTicks}-${bootId}.lock`
}

function parseClaim(name: string): Holder | undefined {
  const [, pid, startTicks, bootId] = claimPattern.exec(name) ?? []
  if (pid === undefined || startTicks === undefined || bootId === undefined) return undefined
  return { pid: Number(pid), startTicks, bootId }
}

function holderOf(pid: number): Holder {
  return {
    pid,
    startTicks: readProc(`/proc/${pid}/stat`, startTicksOf),
    bootId: readProc('/proc/sys/kernel/random/boot_id', (content) => content.trim())
  }
}

/** Fields 3 and 22 of proc_pid_stat(5), counted after the command's name, which may hold anything. */
function startTicksOf(stat: string): string {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state] = fields
  if (state === 'Z' || state === 'X') return ended
  return fields[19] ?? unknown
}

function readProc(path: string, read: (content: string) => string): string {
  try {
    return read(readFileSync(path, 'utf8'))
  } catch {
    return unknown
  }
}

const unknown = '0'
/** Of a process that has ended, though its parent has not asked about it yet. */
const ended = 'ended'
