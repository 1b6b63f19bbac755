import { once } from 'node:events'
import { statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { Command } from 'commander'
import { isStarlingError } from '../core/errors.ts'
import type { Status } from '../../peer/status.ts'
import { readConfig, configDefaults } from '../../peer/config.ts'
import { ControlClient } from '../../peer/control-client.ts'
import { openHome, type Home } from '../../peer/home.ts'
import { measureEngine, type Measured } from './doctor/engine.ts'
import { exitCodes } from './exit.ts'
import { bytesForPeople, printJson, printLine } from './print.ts'
import { withCommonOptions, type CommonOptions } from './settings.ts'

const marks = { ok: '✓', absent: '–', warning: '!', failure: '✗' } as const

interface Finding {
  readonly name: string
  /** `absent`: not there, and not needed. */
  readonly verdict: keyof typeof marks
  readonly what: string
  /** What to do about it. */
  readonly remedy?: string
}

type Check = (home: Home) => Promise<Finding | readonly Finding[]>

/** Checkpoints of a large model, twice over, fit below this. */
const freeBytesMin = 2 ** 30
/** No release of ours is older: a clock before it is wrong. */
const clockMin = Date.UTC(2026, 0, 1)

export function doctorCommand(): Command {
  return withCommonOptions(new Command('doctor'))
    .description('look at what starling needs here, and say what to do')
    .addHelpText('after', '\nExamples:\n  $ starling doctor\n  $ starling doctor --json')
    .action(async (options: CommonOptions) => {
      const findings = await examine(options.home)
      const pass = findings.every(({ verdict }) => verdict !== 'failure')
      if (options.json === true) printJson({ findings, pass })
      else for (const finding of findings) printFinding(finding)
      if (!pass) process.exitCode = exitCodes.environment
    })
}

async function examine(path: string): Promise<Finding[]> {
  const findings: Finding[] = [checkNode(), checkClock(), ...(await measureEngine()).map(asFinding)]
  try {
    const home = await openHome(path)
    findings.push({ name: 'home', verdict: 'ok', what: `${home.path} can be written to` })
    for (const check of [checkDisk, checkPort, checkDaemon]) {
      findings.push(...[await check(home)].flat())
    }
  } catch (error) {
    if (!isStarlingError(error)) throw error
    findings.push({ name: 'home', verdict: 'failure', what: error.message })
  }
  return findings
}

function checkNode(): Finding {
  // The launcher refuses older ones before any of our code is loaded.
  return { name: 'node', verdict: 'ok', what: `${process.version}, at least 22 is needed` }
}

function checkClock(): Finding {
  const now = new Date()
  const what = now.toISOString()
  return now.getTime() >= clockMin
    ? { name: 'clock', verdict: 'ok', what }
    : { name: 'clock', verdict: 'warning', what, remedy: 'this date has passed: set the clock' }
}

function asFinding({ backend, what, isUsable }: Measured): Finding {
  const missing = backend === 'plan' ? 'failure' : 'absent'
  return { name: `engine ${backend}`, verdict: isUsable ? 'ok' : missing, what }
}

const checkDisk: Check = async ({ path }) => {
  const { bavail, bsize } = await statfs(path)
  const free = bavail * bsize
  const what = `${bytesForPeople(free)} free at ${path}`
  return free >= freeBytesMin
    ? { name: 'disk', verdict: 'ok', what }
    : { name: 'disk', verdict: 'warning', what, remedy: 'make room: checkpoints may not be saved' }
}

const checkPort: Check = async (home) => {
  const config = await readConfig(home.config)
  const port = config.port ?? configDefaults.port
  const server = createServer()
  try {
    server.listen(port)
    await once(server, 'listening')
    const what = port === 0 ? 'any free port can be listened on' : `${port} can be listened on`
    return { name: 'port', verdict: 'ok', what }
  } catch (error) {
    return {
      name: 'port',
      verdict: 'warning',
      what: `cannot listen on ${port}: ${(error as Error).message}`,
      remedy: "give another with --port, unless it is this home's daemon that listens there"
    }
  } finally {
    server.close()
  }
}

/** What only a running daemon knows: how others reach it. */
const checkDaemon: Check = async (home) => {
  try {
    const status = (await (await ControlClient.open(home)).status()) as Status
    return {
      name: 'daemon',
      verdict: 'ok',
      what: `runs, ${status.peers.connected} peers connected, reachability: ${status.reachability}`
    }
  } catch (error) {
    if (!isStarlingError(error)) throw error
    const what = 'does not run here: how others reach this machine is found out when it does'
    return { name: 'daemon', verdict: 'ok', what }
  }
}

function printFinding({ name, verdict, what, remedy }: Finding): void {
  printLine(
    `${marks[verdict]} ${name.padEnd(14)} ${what}${remedy === undefined ? '' : `: ${remedy}`}`
  )
}
