import { resolve } from 'node:path'
import { Command, Option } from 'commander'
import { StarlingError } from '../core/errors.ts'
import { backendNames } from '../learning/engine/select.ts'
import type { BodyEvent } from '../../peer/body.ts'
import type { AccessOptions } from '../../peer/access/access.ts'
import { isLink, readLink, writeLink, type JoinLink } from '../../peer/access/link.ts'
import { configDefaults, readConfig, writeConfig, type Config } from '../../peer/config.ts'
import { startDaemon, type Daemon, type DaemonOptions } from '../../peer/daemon.ts'
import { openHome } from '../../peer/home.ts'
import type { Logger } from '../../peer/log.ts'
import type { Status } from '../../peer/status.ts'
import { collect, wholeNumber } from './arguments.ts'
import { detach } from './detach.ts'
import { logEvent } from './event-log.ts'
import { exitCodes } from './exit.ts'
import { printFacts, printJson, printLine } from './print.ts'
import { reachFacts } from './reach.ts'
import {
  dataDirectories,
  readSettings,
  withCommonOptions,
  type CommonOptions,
  type Settings
} from './settings.ts'
import { findTask } from './task-file.ts'
import { endByStopping, surviveLibraries } from './uncaught.ts'
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
  readonly mdns?: boolean
  readonly webrtc?: boolean
  readonly private?: boolean
  readonly allow?: string
  readonly swarmKey?: string
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
    .option('--join <address>', 'a peer, or a starling:// link; may be repeated', collect, [])
    .option('--only-joined', 'be connected to the peers of --join alone; each must name the other')
    .option('--data <spec>', 'private data to train on; without: what the task brings itself')
    .option('--listen <multiaddr>', 'where to listen; may be repeated', collect, [])
    .option('--port <n>', 'TCP port to listen on; 0 for any', wholeNumber(0, 65_535))
    .option('--public-ip <ip>', 'address that the world knows this machine by')
    .option('--no-upnp', 'do not ask the router to forward our port')
    .option('--no-mdns', 'do not look for peers on the local network')
    .option('--webrtc', 'also punch over UDP, by WebRTC; needs the package @libp2p/webrtc')
    .option('--no-webrtc', 'do not, from now on')
    .option('--private', 'let in only who is invited, or in --allow (starling invite)')
    .option('--allow <file>', 'let in only the peers of this list, a peer id a line')
    .option('--swarm-key <file>', 'talk only to who has the same key (starling key new)')
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
  $ starling up --join 'starling://join?task=…'      # a link that a member sent
  $ starling up --task digits.json --private         # and 'starling invite' for each member
  $ starling up                          # as last time: same task, same swarm
  $ starling up --detach && starling status

Ctrl-C says goodbye, saves and ends; a second one ends at once.`
    )
    .action(async (options: UpOptions) => {
      if (options.detach === true) return startInBackground(options)
      const settings = await readSettings(options)
      const daemon = await startDaemon(await daemonOptions(options, settings))
      stopOnSignals(daemon, settings.logger)
      surviveLibraries(endByStopping(() => daemon.stop(), settings.logger))
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
  const { addresses, link } = readJoins(options.join)
  const remember = rememberSwarm(addresses, settings)
  const name = options.task ?? link?.task ?? config.task
  const found = name === undefined ? null : await findTask(name, home)
  const wanted = typeof found === 'string' ? found : null
  const task = typeof found === 'string' ? null : found
  if (link !== undefined && (task?.cid ?? wanted) !== link.task) {
    throw new StarlingError(
      'STARLING_TASK_MISMATCH',
      `the link is for task ${link.task}, and --task says ${task?.cid ?? wanted}: leave out --task`
    )
  }
  const bootstrap = [...new Set([...addresses, ...(config.bootstrap ?? [])])]
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
  const kept = await keep(options, settings)
  return {
    home: home.path,
    task,
    wanted,
    bootstrap,
    onlyBootstrap: options.onlyJoined === true,
    listen: listen.length > 0 ? listen : [`/ip4/0.0.0.0/tcp/${port}`],
    announce: publicIp === undefined ? [] : [announcedAddress(publicIp, port)],
    upnp: options.upnp,
    lan: options.mdns === false ? false : (config.mdns ?? configDefaults.mdns),
    webrtc: kept.webrtc ?? configDefaults.webrtc,
    access: accessOptions(kept, link),
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
      logEvent(logger, event)
      remember(event)
    }
  }
}

/** Addresses of peers to begin with; a link names several, and more than that. */
function readJoins(joins: readonly string[]): {
  readonly addresses: readonly string[]
  readonly link: JoinLink | undefined
} {
  const links = joins.filter(isLink).map(readLink)
  if (links.length > 1) {
    throw new StarlingError('STARLING_BAD_ARGUMENT', '--join: one link is enough, and all that fit')
  }
  const addresses = joins.filter((join) => !isLink(join))
  return { addresses: [...addresses, ...(links[0]?.via ?? [])], link: links[0] }
}

/** What the user says once is kept: a private swarm must not come back as an open one. */
async function keep(options: UpOptions, { home, config }: Settings): Promise<Config> {
  const given = {
    ...(options.webrtc === undefined ? {} : { webrtc: options.webrtc }),
    ...(options.private === true ? { private: true } : {}),
    ...(options.allow === undefined ? {} : { allow: resolve(options.allow) }),
    ...(options.swarmKey === undefined ? {} : { swarmKey: resolve(options.swarmKey) })
  }
  const kept = { ...config, ...given }
  if (Object.keys(given).length > 0) {
    await openHome(home.path)
    await writeConfig(home.config, kept)
  }
  return kept
}

function accessOptions(kept: Config, link: JoinLink | undefined): AccessOptions {
  return {
    isPrivate: kept.private ?? false,
    allow: kept.allow ?? null,
    swarmKey: kept.swarmKey ?? null,
    invitation: link?.invite ?? null
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
  addresses: readonly string[],
  { home, config, logger }: Settings
): (event: BodyEvent) => void {
  let known = config
  let writing = Promise.resolve()
  const remember = (change: typeof config): void => {
    known = { ...known, ...change }
    // One after another, and over what the file says by now: commands write it, too.
    writing = writing
      .then(async () => writeConfig(home.config, { ...(await readConfig(home.config)), ...change }))
      .catch((error: unknown) => logger.warn(`cannot remember the swarm: ${String(error)}`))
  }
  return (event) => {
    if (event.kind === 'task-adopted' && known.task !== event.task) remember({ task: event.task })
    const peer = memberIn(event)
    if (peer === undefined) return
    const bootstrap = known.bootstrap ?? []
    const joined = addresses.filter(
      (address) => address.endsWith(peer) && !bootstrap.includes(address)
    )
    if (joined.length > 0) remember({ bootstrap: [...bootstrap, ...joined] })
  }
}

/** Who has turned out to be of our swarm. */
function memberIn(event: BodyEvent): string | undefined {
  if (event.kind === 'peer-joined') return event.peer
  if (event.kind === 'task-adopted') return event.from ?? undefined
  return undefined
}

interface Started {
  readonly status: Status
  readonly home: string
  readonly control: string
  /** Of a daemon in the background. */
  readonly pid?: number
}

function greet({ status, ...where }: Started, options: UpOptions): void {
  const link = linkOf(status)
  if (options.json === true) return printJson({ ...status, ...where, link })
  printFacts({
    'peer id': status.peerId,
    home: where.home,
    task: status.task ?? 'asking the swarm for it',
    ...(status.backend === null ? {} : { training: trainingOf(status) }),
    ...(status.resumedRound === null ? {} : { resumed: `from round ${status.resumedRound}` }),
    join: status.join === null ? 'not listening' : `starling up --join ${status.join}`,
    ...(link === null ? {} : { link }),
    access: accessOf(status),
    ...reachFacts(status),
    control: where.control,
    ...(where.pid === undefined ? {} : { process: where.pid })
  })
  printLine('ready')
}

/** With all that a newcomer needs, unless it also needs to be invited. */
function linkOf({ task, join }: Status): string | null {
  return task === null || join === null ? null : writeLink({ task, via: [join] })
}

function accessOf({ access }: Status): string {
  if (access === 'open') return 'open: whoever has the line can join'
  if (access === 'listed') return 'private: the peers of the allow list alone'
  return "private: 'starling invite' makes a link that lets in a peer"
}

function trainingOf({ data, samples, backend, backendReason, stepMs }: Status): string {
  const what = data === null ? 'nothing: no data, only mixes' : `${samples} samples of ${data}`
  const pace = stepMs === null ? '' : `, ${stepMs.toPrecision(2)} ms a step`
  return `${what}, on ${backend} (${backendReason}${pace})`
}
