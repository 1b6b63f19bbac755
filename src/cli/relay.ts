import { Command } from 'commander'
import { isIP } from 'node:net'
import { StarlingError } from '../core/errors.ts'
import { readSwarmKey } from '../../peer/access/swarm-key.ts'
import type { Logger } from '../../peer/log.ts'
import { stunPort } from '../../peer/nat/stun-client.ts'
import { relayLimitDefaults, type RelayLimits } from '../../peer/relay/limits.ts'
import { startRelay, type Relay, type RelayEvent } from '../../peer/relay/relay.ts'
import { collect, wholeNumber } from './arguments.ts'
import { exitCodes } from './exit.ts'
import { bytesForPeople, printFacts, printJson, printLine } from './print.ts'
import { reachFacts } from './reach.ts'
import { readSettings, withCommonOptions, type CommonOptions } from './settings.ts'
import { endByStopping, surviveLibraries } from './uncaught.ts'
import { version } from './version.ts'

interface RelayCommandOptions extends CommonOptions {
  readonly port: number
  readonly listen: readonly string[]
  readonly publicIp?: string
  readonly join: readonly string[]
  readonly swarmKey?: string
  readonly wsPort?: number
  readonly reservations: number
  readonly connections: number
  readonly perIp: number
  readonly perSubnet: number
  readonly bytesPerConnection: number
  readonly minutesPerConnection: number
  readonly carryModels?: boolean
  readonly megabits: number
  readonly gigabytesPerDay: number
  readonly memory: number
  readonly stunPort: number
  readonly stun: boolean
}

const d = relayLimitDefaults
const countMax = 1_000_000

export function relayCommand(): Command {
  return withCommonOptions(new Command('relay'))
    .description(
      'run a public helper: others begin with it and are reached through it; no training'
    )
    .option('--port <n>', 'TCP port to listen on; 0 for any', wholeNumber(0, 65_535), 4001)
    .option('--listen <multiaddr>', 'where to listen, in place of --port', collect, [])
    .option('--public-ip <ip>', 'address that the world knows this machine by')
    .option(
      '--join <multiaddr>',
      'another helper; what one knows of who works on what, both come to know; may be repeated',
      collect,
      []
    )
    .option('--swarm-key <file>', 'help only those who have the same key (starling key new)')
    .option('--ws-port <n>', 'also listen for WebSockets on this TCP port', wholeNumber(1, 65_535))
    .option(
      '--reservations <n>',
      'peers that can be reached through us at once',
      wholeNumber(0, countMax),
      d.reservations
    )
    .option('--connections <n>', 'connections at once', wholeNumber(1, countMax), d.connections)
    .option(
      '--per-ip <n>',
      'connections, and reservations, from one IPv4 address or IPv6 /64',
      wholeNumber(1, countMax),
      d.perIp
    )
    .option(
      '--per-subnet <n>',
      'connections, and reservations, from one IPv4 /24 or IPv6 /48',
      wholeNumber(1, countMax),
      d.perSubnet
    )
    .option(
      '--bytes-per-connection <n>',
      'bytes of one relayed connection, both ways together; then it is cut',
      wholeNumber(1, Number.MAX_SAFE_INTEGER),
      d.bytesPerCircuit
    )
    .option(
      '--minutes-per-connection <n>',
      'life of one relayed connection',
      wholeNumber(1, 100_000),
      d.secondsPerCircuit / 60
    )
    .option('--carry-models', 'no limits on one relayed connection, so that models may pass')
    .option(
      '--megabits <n>',
      'Mbit/s of all relayed connections together; 0 for no bound',
      wholeNumber(0, countMax),
      (d.bytesPerSecond * 8) / 1e6
    )
    .option(
      '--gigabytes-per-day <n>',
      'GB a day of all relayed connections together, each byte in and out again; 0 for no bound',
      wholeNumber(0, countMax),
      d.bytesPerDay / 1e9
    )
    .option(
      '--memory <megabytes>',
      'resident memory in MB from which on newcomers are refused',
      wholeNumber(64, countMax),
      d.memoryBytes / 1e6
    )
    .option(
      '--stun-port <n>',
      'UDP port to answer STUN on; 0 for any',
      wholeNumber(0, 65_535),
      stunPort
    )
    .option('--no-stun', 'do not answer STUN')
    .addHelpText(
      'after',
      `
Examples:
  $ starling relay                                  on a host with a public address
  $ starling relay --public-ip 203.0.113.5          where a router forwards TCP 4001 and UDP 3478
  $ starling relay --carry-models --megabits 50     models may pass through, if nothing else works
  $ starling status --home ~/.starling              how it is: connections, bytes, who was refused

Without --carry-models a relayed connection only helps two peers to agree on a direct one: it is cut
after --bytes-per-connection or --minutes-per-connection, and no model passes. docs/helper.md has more.`
    )
    .action(async (options: RelayCommandOptions) => {
      const { home, config, logger } = await readSettings(options)
      const publicIp = options.publicIp ?? config.publicIp
      const relay = await startRelay({
        home: home.path,
        listen: listenAddresses(options),
        announce: publicIp === undefined ? [] : announced(publicIp, options),
        bootstrap: options.join,
        swarmKey: options.swarmKey === undefined ? null : await readSwarmKey(options.swarmKey),
        stunPort: options.stun ? options.stunPort : null,
        controlPort: config.controlPort ?? 0,
        limits: limitsOf(options),
        version,
        onEvent: (event) => log(logger, event)
      })
      stopOnSignals(relay, logger)
      surviveLibraries(endByStopping(() => relay.stop(), logger))
      greet(relay, options)
      await relay.done
      // Whatever a library still holds open, the relay is done.
      process.exit(exitCodes.ok)
    })
}

function listenAddresses({ listen, port, wsPort }: RelayCommandOptions): readonly string[] {
  const both = [`/ip4/0.0.0.0/tcp/${port}`, `/ip6/::/tcp/${port}`]
  // Any free port would be another one for each.
  const plain = listen.length > 0 ? listen : port === 0 ? both.slice(0, 1) : both
  if (wsPort === undefined) return plain
  return [...plain, `/ip4/0.0.0.0/tcp/${wsPort}/ws`, `/ip6/::/tcp/${wsPort}/ws`]
}

function announced(ip: string, { port, wsPort, listen }: RelayCommandOptions): readonly string[] {
  if (isIP(ip) === 0) {
    throw new StarlingError(
      'STARLING_BAD_ARGUMENT',
      `--public-ip: '${ip}' is no IP address; one looks like 203.0.113.5`
    )
  }
  if (port === 0 || listen.length > 0) {
    throw new StarlingError(
      'STARLING_BAD_ARGUMENT',
      '--public-ip needs --port with a fixed port, and no --listen: the world has to know both'
    )
  }
  const host = `/${isIP(ip) === 6 ? 'ip6' : 'ip4'}/${ip}`
  return [`${host}/tcp/${port}`, ...(wsPort === undefined ? [] : [`${host}/tcp/${wsPort}/ws`])]
}

function limitsOf(options: RelayCommandOptions): RelayLimits {
  const carries = options.carryModels === true
  return {
    ...relayLimitDefaults,
    connections: options.connections,
    reservations: options.reservations,
    perIp: options.perIp,
    perSubnet: options.perSubnet,
    bytesPerCircuit: carries ? Infinity : options.bytesPerConnection,
    secondsPerCircuit: carries ? Infinity : options.minutesPerConnection * 60,
    bytesPerSecond: options.megabits === 0 ? Infinity : (options.megabits * 1e6) / 8,
    bytesPerDay: options.gigabytesPerDay === 0 ? Infinity : options.gigabytesPerDay * 1e9,
    memoryBytes: options.memory * 1e6
  }
}

function stopOnSignals(relay: Relay, logger: Logger): void {
  let asked = false
  const onSignal = (): void => {
    if (asked) process.exit(exitCodes.interrupted)
    asked = true
    logger.info('stopping (once more to end at once)')
    void relay.stop()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  process.on('SIGHUP', onSignal)
}

function greet(relay: Relay, options: RelayCommandOptions): void {
  const status = relay.status()
  const where = { home: relay.home.path, control: relay.control.url }
  if (options.json === true) return printJson({ ...status, ...where })
  const { bytesPerConnection: bytes, secondsPerConnection: seconds } = status.relayed
  printFacts({
    'peer id': relay.self,
    home: relay.home.path,
    join: status.join === null ? 'not listening' : `starling up --join ${status.join}`,
    ...reachFacts(status),
    ...(status.reachability === 'public'
      ? {}
      : { address: 'no public one is known here: give it with --public-ip' }),
    ports: portsOf(status.listen, status.stun?.port),
    relays:
      bytes === null || seconds === null
        ? 'without limits: models may pass'
        : `${bytesForPeople(bytes)} and ${seconds / 60} min a connection: no models`,
    control: relay.control.url
  })
  printLine('ready')
}

/** What a firewall has to let in. */
function portsOf(listen: readonly string[], stunPort: number | undefined): string {
  const tcp = new Set(listen.flatMap((address) => /\/tcp\/(\d+)/.exec(address)?.[1] ?? []))
  const ports = [
    ...[...tcp].map((port) => `${port}/tcp`),
    ...(stunPort === undefined ? [] : [`${stunPort}/udp`])
  ]
  const commands = ports.map((port) => `ufw allow ${port}`).join(' && ')
  return `${ports.join(', ')} must be open, here (such as: ${commands}) and at your provider`
}

/** What an operator wants to know; all else is in `status`. */
function log(logger: Logger, event: RelayEvent): void {
  if (event.kind === 'reserved') {
    logger.debug(`${event.peer} can be reached through us`)
  } else if (event.kind === 'circuit-closed') {
    const what = `${event.from} to ${event.to}: ${event.bytes} bytes`
    if (event.cut === null) logger.debug(what)
    else logger.info(`${what}, cut at the limit: ${event.cut}`)
  } else if (event.kind === 'refused') {
    logger.warn(`refused ${event.count} since the last such line: ${event.why}`)
  } else if (event.kind === 'reachability') {
    logger.info(`reachability: ${event.reachability}: ${event.explanation}`)
  } else if (event.kind === 'bootstrap-reached') {
    logger.info(`reached ${event.address}`)
  } else if (event.kind === 'bootstrap-unreachable') {
    logger.warn(`cannot reach ${event.address}: ${event.reason}`)
  } else if (event.kind === 'banned') {
    logger.warn(`peer ${event.peer} is banned for ${Math.round(event.forMs / 60_000)} min`)
  } else if (event.kind === 'trouble') {
    logger.warn(event.what)
  } else if (event.kind === 'bug') {
    logger.error(`a mistake in starling itself, in ${event.where}: ${event.reason}`)
  }
}
