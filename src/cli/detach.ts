import { spawn, type ChildProcess } from 'node:child_process'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { StarlingError } from '../core/errors.ts'
import { ControlClient } from '../../peer/control-client.ts'
import type { Home } from '../../peer/home.ts'
import type { Status } from '../../peer/status.ts'
import { exitCodes } from './exit.ts'
import { binPath } from './version.ts'

/** How long a daemon may take to be ready: it loads data and engine on a busy machine. */
const readyMsMax = 60_000
const lookAgainMs = 50
/** Of what a daemon logged, for the message when it ends before it is ready. */
const logBytesMax = 4_000

export type Detached =
  | { readonly kind: 'ready'; readonly client: ControlClient; readonly status: Status }
  /** It could not live; `log` is the end of what it said. */
  | { readonly kind: 'ended'; readonly exitCode: number; readonly log: string }

/**
 * Run a daemon in the background, with its output in `daemon.log` of its home, and wait until its
 * control API answers.
 *
 * @param home - which exists
 * @param argv - the command line without node and the script; `--detach` and `--json` are left out
 * @throws STARLING_WORKER_FAILED when it is not ready in time, in which case it is ended
 */
export async function detach(home: Home, argv: readonly string[]): Promise<Detached> {
  const words = argv.filter((word) => word !== '--detach' && word !== '--json')
  const log = await open(join(home.path, 'daemon.log'), 'a+', 0o600)
  try {
    const { size: logStart } = await log.stat()
    // Quiet, unless a log level is chosen: nobody rotates this file.
    const child = spawn(process.execPath, [...process.execArgv, binPath, ...words, '--quiet'], {
      detached: true,
      stdio: ['ignore', log.fd, log.fd]
    })
    const client = await ready(home, child)
    if (client === undefined) {
      const exitCode = child.exitCode ?? exitCodes.failed
      return { kind: 'ended', exitCode, log: await tailOf(log, logStart) }
    }
    child.unref()
    return { kind: 'ready', client, status: (await client.status()) as Status }
  } finally {
    await log.close()
  }
}

/** @returns undefined when it ended first */
async function ready(home: Home, child: ChildProcess): Promise<ControlClient | undefined> {
  const failed = new Promise<never>((_, reject) => child.once('error', reject))
  const giveUp = (): void => {
    child.kill()
    process.exit(exitCodes.interrupted)
  }
  process.once('SIGINT', giveUp)
  try {
    const untilMs = performance.now() + readyMsMax
    while (performance.now() < untilMs) {
      if (child.exitCode !== null || child.signalCode !== null) return undefined
      const client = await clientOf(home)
      if (client?.pid === child.pid) return client
      await Promise.race([failed, pause(lookAgainMs)])
    }
  } finally {
    process.off('SIGINT', giveUp)
  }
  child.kill()
  throw new StarlingError(
    'STARLING_WORKER_FAILED',
    `the daemon was not ready within ${readyMsMax / 1000} s and was ended; ` +
      `its log is ${join(home.path, 'daemon.log')}`
  )
}

async function clientOf(home: Home): Promise<ControlClient | undefined> {
  try {
    return await ControlClient.open(home)
  } catch {
    return undefined // not yet
  }
}

async function tailOf(log: FileHandle, start: number): Promise<string> {
  const { size } = await log.stat()
  const from = Math.max(start, size - logBytesMax)
  const { buffer, bytesRead } = await log.read(Buffer.alloc(size - from), 0, size - from, from)
  return buffer.toString('utf8', 0, bytesRead)
}
