import { Command, Option } from 'commander'
import { StarlingError } from '../core/errors.ts'
import { backendNames } from '../learning/engine/select.ts'
import type { MergedEvent } from '../../protocols/participant-io.ts'
import type { BodyEvent } from '../../peer/body.ts'
import { configDefaults, writeConfig } from '../../peer/config.ts'
import { startDaemon, type Daemon, type DaemonOptions } from '../../peer/daemon.ts'
import { openHome } from '../../peer/home.ts'
import type { Logger } from '../../peer/log.ts'
import type { Status } from '../../peer/status.ts'
import { collect, wholeNumber } from './arguments.ts'
import { detach } from './detach.ts'
import { exitCodes } from './exit.ts'
import { percent, printFacts, printJson, printLine } from './print.ts'
import { reachFacts } from './reach.ts'
import {
  dataDirectories,
  readSettings,
  withCommonOptions,
  type CommonOptions,
  type Settings
} from './settings.ts'
import { findTask } from './task-file.ts'
import { version } from './version.ts'

interface UpOptions extends CommonOptions {
  readonly task?: string
  readonly join: readonly string[]
  readonly onlyJoined?: boolean
  readonly data?: string
  readonly listen: readonly string[]
  readonly port?: number
  readonly publicIp?: string
  readonly upnp: boolean
  readonly backend?: DaemonOptions['backend']
  readonly fastMath?: boolean
  readonly rounds?: number
  readonly waitFor?: number
  readonly waitSeconds: number
  readonly evaluateEvery: number
  readonly detach?: boolean
}

export function upCommand(): Command {
  return withCommonOptions(new Command('up'))
    .description('run the daemon: train, and trade models with peers')
    .option('--task <task>', 'task file, or CID; without: the one of last time, or of the swarm')
    .option('--join <multiaddr>', 'a peer to begin with; may be repeated', collect, [])
    .option('--only-joined', 'be connected to the peers of --join alone; each must name the other')
    .option('--data <spec>', 'private data to train on; without: what the task brings itself')
    .option('--listen <multiaddr>', 'where to listen; may be repeated', collect, [])
    .option('--port <n>', 'TCP port to listen on; 0 for any', wholeNumber(0, 65_535))
    .option('--public-ip <ip>', 'address that the world knows this machine by')
    .option('--no-upnp', 'do not ask the router to forward our port')
    .addOption(
      new Option('--backend <name>', 'which code computes').choices(['auto', ...backendNames])
    )
    .option('--fast-math', 'let kernels round as this machine likes best: faster, other last bits')
    .option(
      '--rounds <n>',
      'stop training after so many rounds; still answer peers',
      wholeNumber(0, 1_000_000_000)
    )
    .option('--wait-for <n>', 'peers to wait for before the first round', wholeNumber(0, 10_000))
    .option('--wait-seconds <n>', 'how long to wait for them', wholeNumber(0, 86_400), 15)
    .option(
      '--evaluate-every <n>',
      'rounds between evaluations on held-out data; 0 for none',
      wholeNumber(0, 1_000_000_000),
      10
    )
    .option('--detach', 'leave it running in the background; it logs to daemon.log in its home')
    .addHelpText(
      'after',
      `
Examples:
  $ starling up --task digits.json --port 4001
  $ starling up --join /ip4/192.0.2.7/tcp/4001/p2p/12D3Koo… --data idx:./my-digits
  $ starling up                          # as last time: same task, same swarm
  $ starling up --detach && starling status

Ctrl-C says goodbye, saves and ends; a second one ends at once.`
    )
    .action(async (options: UpOptions) => {
      if (options.detach === true) return startInBackground(options)
      const settings = await readSettings(options)
      const daemon = await startDaemon(await daemonOptions(options, settings))
      stopOnSignals(daemon, settings.logger)
      greet(
        { status: daemon.status(), home: daemon.home.path, control: daemon.control.url },
        options
      )
      await daemon.done
      // Whatever a library still holds open, the daemon is done.
      process.exit(exitCodes.ok)
    })
}

async function startInBackground(options: UpOptions): Promise<void> {
  const home = await openHome(options.home)
  const outcome = await detach(home, process.argv.slice(2))
  if (outcome.kind === 'ended') {
    process.stderr.write(outcome.log)
    process.exitCode = outcome.exitCode
    return
  }
  const { client, status } = outcome
  greet({ status, home: home.path, control: client.url, pid: client.pid }, options)
}

async function daemonOptions(options: UpOptions, settings: Settings): Promise<DaemonOptions> {
  const { home, config, logger } = settings
  const remember = rememberSwarm(options, settings)
  const name = options.task ?? config.task
  const found = name === undefined ? null : await findTask(name, home)
  const wanted = typeof found === 'string' ? found : null
  const task = typeof found === 'string' ? null : found
  const bootstrap = [...new Set([...options.join, ...(config.bootstrap ?? [])])]
  if (task === null && bootstrap.length === 0) {
    throw new StarlingError(
      'STARLING_BAD_ARGUMENT',
      wanted === null
        ? "nothing to do: give a task (--task FILE; 'starling task new FILE' makes one) or a swarm " +
            'to join (--join MULTIADDR)'
        : `task ${wanted} is not kept here and there is nobody to ask: give its file, or --join MULTIADDR`
    )
  }
  const port = options.port ?? config.port ?? configDefaults.port
  const listen = options.listen.length > 0 ? options.listen : (config.listen ?? [])
  const publicIp = options.publicIp ?? config.publicIp
  return {
    home: home.path,
    task,
    wanted,
    bootstrap,
    onlyBootstrap: options.onlyJoined === true,
    listen: listen.length > 0 ? listen : [`/ip4/0.0.0.0/tcp/${port}`],
    announce: publicIp === undefined ? [] : [announcedAddress(publicIp, port)],
    upnp: options.upnp,
    data: options.data ?? config.data ?? null,
    directories: dataDirectories(home),
    backend: options.backend ?? config.backend ?? configDefaults.backend,
    fastMath: options.fastMath ?? config.fastMath ?? configDefaults.fastMath,
    controlPort: config.controlPort ?? configDefaults.controlPort,
    participant: {
      roundsMax: options.rounds ?? Infinity,
      evaluateEveryRounds: options.evaluateEvery,
      quorum: options.waitFor ?? (bootstrap.length > 0 ? 1 : 0),
      joinWaitMs: options.waitSeconds * 1_000
    },
    version,
    onEvent: (event) => {
      log(logger, event)
      remember(event)
    }
  }
}

function announcedAddress(ip: string, port: number): string {
  if (port === 0) {
    throw new StarlingError(
      'STARLING_BAD_ARGUMENT',
      '--public-ip needs a fixed port that your router forwards: give --port, such as --port 4001'
    )
  }
  return `/${ip.includes(':') ? 'ip6' : 'ip4'}/${ip}/tcp/${port}`
}

function stopOnSignals(daemon: Daemon, logger: Logger): void {
  let asked = false
  const onSignal = (): void => {
    if (asked) process.exit(exitCodes.interrupted)
    asked = true
    logger.info('stopping: saying goodbye and saving (once more to end at once)')
    void daemon.stop()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.on('SIGHUP', onSignal)
}

/** So that `starling up` alone comes back to the same task and the same swarm. */
function rememberSwarm(
  options: UpOptions,
  { home, config, logger }: Settings
): (event: BodyEvent) => void {
  let known = config
  let writing = Promise.resolve()
  const remember = (change: typeof config): void => {
    const next = { ...known, ...change }
    known = next
    // One after another: of two at once, the older one could be the last to get its name.
    writing = writing
      .then(() => writeConfig(home.config, next))
      .catch((error: unknown) => logger.warn(`cannot remember the swarm: ${String(error)}`))
  }
  return (event) => {
    if (event.kind === 'task-adopted' && known.task !== event.task) remember({ task: event.task })
    if (event.kind !== 'peer-joined') return
    const bootstrap = known.bootstrap ?? []
    const joined = options.join.filter(
      (address) => address.endsWith(event.peer) && !bootstrap.includes(address)
    )
    if (joined.length > 0) remember({ bootstrap: [...bootstrap, ...joined] })
  }
}

interface Started {
  readonly status: Status
  readonly home: string
  readonly control: string
  /** Of a daemon in the background. */
  readonly pid?: number
}

function greet({ status, ...where }: Started, options: UpOptions): void {
  if (options.json === true) return printJson({ ...status, ...where })
  printFacts({
    'peer id': status.peerId,
    home: where.home,
    task: status.task ?? 'asking the swarm for it',
    ...(status.backend === null ? {} : { training: trainingOf(status) }),
    ...(status.resumedRound === null ? {} : { resumed: `from round ${status.resumedRound}` }),
    join: status.join === null ? 'not listening' : `starling up --join ${status.join}`,
    ...reachFacts(status),
    control: where.control,
    ...(where.pid === undefined ? {} : { process: where.pid })
  })
  printLine('ready')
}

function trainingOf({ data, samples, backend, backendReason, stepMs }: Status): string {
  const what = data === null ? 'nothing: no data, only mixes' : `${samples} samples of ${data}`
  const pace = stepMs === null ? '' : `, ${stepMs.toPrecision(2)} ms a step`
  return `${what}, on ${backend} (${backendReason}${pace})`
}

function log(logger: Logger, event: BodyEvent): void {
  switch (event.kind) {
    case 'round-finished':
      return logger.debug(`round ${event.round} finished`)
    case 'trained':
      return logger.info(`round ${event.round}: loss ${event.loss.toFixed(4)}`)
    case 'evaluated':
      return logger.info(
        `round ${event.round}: accuracy ${percent(event.evaluation.accuracy)} on held-out data`
      )
    case 'merged':
      return logger.info(mergedLine(event))
    case 'exchange-failed':
      return logger.info(`round ${event.round}: no model in time from ${event.peers.join(', ')}`)
    case 'task-adopted':
      return logger.info(`working on task ${event.task}`)
    case 'caught-up':
      return logger.info(`got the newest model (round ${event.round}) from ${event.from}`)
    case 'called':
      return logger.info(`called to round ${event.round}`)
    case 'peer-joined':
      return logger.info(`peer ${event.peer} is here`)
    case 'peer-left':
      return logger.info(`peer ${event.peer} is gone`)
    case 'peer-refused':
      return logger.warn(
        `peer ${event.peer} works on another task: ours is ${event.ours}, theirs ${event.theirs}`
      )
    case 'rejected':
      return logger.debug(`a message from ${event.peer} was rejected: ${event.reason}`)
    case 'banned':
      return logger.warn(`peer ${event.peer} is banned for ${Math.round(event.forMs / 60_000)} min`)
    case 'rolled-back':
      return logger.warn(
        `round ${event.round}: the loss was not finite, went back to the last good model`
      )
    case 'saved':
      return logger.debug(`checkpoint of round ${event.round} saved`)
    case 'trouble':
      return logger.warn(event.what)
    case 'finished':
      return logger.info(`all ${event.round} rounds done; still answering peers`)
    case 'bootstrap-reached':
      return logger.info(`reached ${event.address}`)
    case 'bootstrap-unreachable':
      return logger.warn(
        `cannot reach ${event.address}: ${event.reason}; trying again in ${Math.round(event.retryInMs / 1000)} s`
      )
    case 'listening':
      return logger.debug(`listening on ${event.addresses.join(', ')}`)
    case 'reachability':
      return logger.info(
        `reachability: ${event.reachability}: ${event.explanation}` +
          (event.remedy === null ? '' : `; to be reached better, ${event.remedy}`)
      )
    case 'join-line':
      return logger.info(`join line: starling up --join ${event.address} (${event.note})`)
    case 'connection':
      return logger.info(
        `peer ${event.peer} is connected: ${event.path}${event.limited ? ', limited' : ''} ` +
          `(${event.by}), ${event.afterMs} ms after we knew of it`
      )
    case 'upgrade-failed':
      return logger.info(`peer ${event.peer} stays behind a relay for now: ${event.reason}`)
    case 'not-admitted':
      return logger.warn(
        event.by === 'us'
          ? `peer ${event.peer} is not let in: ${event.detail}`
          : `peer ${event.peer} does not let us in: ${event.detail}`
      )
    case 'send-failed':
      return logger.debug(`could not send ${event.what} to ${event.peer}: ${event.reason}`)
    case 'peer-slow':
      return logger.info(`peer ${event.peer} is too slow and was cut off`)
    case 'bug':
      return logger.error(`a mistake in starling itself, in ${event.where}: ${event.reason}`)
  }
}

/** What came of a merge, with all that is out of the ordinary. */
function mergedLine({ round, with: peers, rejected, ...event }: MergedEvent): string {
  const counted = peers.length - rejected.length
  const what = event.rolledBack
    ? `a merge with ${counted} peer(s) made us worse and was taken back`
    : `averaged with ${counted} peer(s)`
  const notes = [
    ...(event.realigned ? ['our units changed places to match an older model'] : []),
    ...rejected.map(({ from, reason }) => `left out ${from}: ${reason}`),
    ...(event.degraded === null ? [] : [event.degraded])
  ]
  return [`round ${round}: ${what}`, ...notes].join('; ')
}
