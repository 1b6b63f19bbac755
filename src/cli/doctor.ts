import { once } from 'node:events'
import { statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { Command } from 'commander'
import { isStarlingError } from '../core/errors.ts'
import type { RelayStatus } from '../../peer/relay/status.ts'
import type { Status } from '../../peer/status.ts'
import { readConfig, configDefaults } from '../../peer/config.ts'
import { ControlClient } from '../../peer/control-client.ts'
import { openHome, type Home } from '../../peer/home.ts'
import { readPeerAddress, type PeerAddress } from '../../peer/network/addresses.ts'
import { collect } from './arguments.ts'
import { measureEngine, type Measured } from './doctor/engine.ts'
import { marks, type Finding } from './doctor/finding.ts'
import { examineNetwork, reachFindings, webrtcFinding } from './doctor/network.ts'
import { exitCodes } from './exit.ts'
import { bytesForPeople, printJson, printLine } from './print.ts'
import { isRelayStatus } from './relay-status.ts'
import { withCommonOptions, type CommonOptions } from './settings.ts'

type Check = (home: Home) => Promise<Finding>

/** Checkpoints of a large model, twice over, fit below this. */
const freeBytesMin = 2 ** 30
/** No release of ours is older: a clock before it is wrong. */
const clockMin = Date.UTC(2026, 0, 1)

interface DoctorOptions extends CommonOptions {
  readonly join: readonly string[]
}

export function doctorCommand(): Command {
  return withCommonOptions(new Command('doctor'))
    .description('look at what starling needs here, and say what to do')
    .option('--join <multiaddr>', 'a helper or peer to ask how we are reached', collect, [])
    .addHelpText(
      'after',
      `
Examples:
  $ starling doctor
  $ starling doctor --join /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo…   # no daemon runs: look for a few seconds
  $ starling doctor --json`
    )
    .action(async (options: DoctorOptions) => {
      const helpers = options.join.map((address) => readPeerAddress(address, '--join'))
      const findings = await examine(options.home, helpers)
      const pass = findings.every(({ verdict }) => verdict !== 'failure')
      if (options.json === true) printJson({ findings, pass })
      else for (const finding of findings) printFinding(finding)
      if (!pass) process.exitCode = exitCodes.environment
    })
}

async function examine(path: string, helpers: readonly PeerAddress[]): Promise<Finding[]> {
  const findings: Finding[] = [
    checkNode(),
    checkClock(),
    ...(await measureEngine()).map(asFinding),
    await webrtcFinding()
  ]
  try {
    const home = await openHome(path)
    findings.push({ name: 'home', verdict: 'ok', what: `${home.path} can be written to` })
    for (const check of [checkDisk, checkPort]) findings.push(await check(home))
    findings.push(...(await checkDaemon(home, helpers)))
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
/** A daemon knows how it is reached; without one that is found out, if somebody is named to ask. */
async function checkDaemon(home: Home, helpers: readonly PeerAddress[]): Promise<Finding[]> {
  const name = 'daemon'
  let status: Status | RelayStatus
  try {
    status = (await (await ControlClient.open(home)).status()) as Status | RelayStatus
  } catch (error) {
    if (!isStarlingError(error)) throw error
    const idle: Finding = { name, verdict: 'ok', what: 'does not run here' }
    return [
      idle,
      ...(helpers.length > 0 ? await examineNetwork(helpers, await listenOf(home)) : [notAsked])
    ]
  }
  if (isRelayStatus(status)) {
    const what = `a relay runs, reachability: ${status.reachability}`
    return [{ name, verdict: 'ok', what }]
  }
  const what = `runs, ${status.peers.connected} peers connected`
  return [{ name, verdict: 'ok', what }, ...reachFindings(status)]
}

const notAsked: Finding = {
  name: 'reachability',
  verdict: 'absent',
  what: 'nobody was asked',
  remedy: 'name a helper or peer with --join, or start the daemon, to find out'
}

/** Where its daemon would listen. */
async function listenOf(home: Home): Promise<readonly string[]> {
  const { listen = [], port = configDefaults.port } = await readConfig(home.config)
  return listen.length > 0 ? listen : [`/ip4/0.0.0.0/tcp/${port}`]
}

function printFinding({ name, verdict, what, remedy }: Finding): void {
  printLine(
    `${marks[verdict]} ${name.padEnd(14)} ${what}${remedy === undefined ? '' : `: ${remedy}`}`
  )
}
