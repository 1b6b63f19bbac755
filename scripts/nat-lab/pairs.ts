import { isStarlingError } from '../../src/core/errors.ts'
import { refreshKernels } from '../kernels.ts'
import { expectedOf, isAsGood, isRelayOnly, isStorm, type Connected } from './expected.ts'
import type { Status } from '../../peer/status.ts'
import type { Home } from './home.ts'
import type { HomeKind } from './homes.ts'
import type { Look, Member } from './member.ts'
import type { Helper, Rig } from './rig.ts'
import { since, Speedometer, traffic } from './traffic.ts'
import { hasTraded, pathBetween, watchLink, type Seat } from './try.ts'

/** The matrix: two homes that know nothing but one helper, over and over from nothing. */

export type Pair = readonly [HomeKind, HomeKind]

export interface PairResult {
  readonly a: HomeKind
  readonly b: HomeKind
  readonly expected: Connected
  /** What most tries came to. */
  readonly connected: Connected
  /** Median, from the first knowledge of the other to a connection past the helper; null: none. */
  readonly ms: number | null
  /** Median of the tries' fastest moments; null where no model was traded. */
  readonly megabytesPerSecond: number | null
  /** Of all tries, as the helper's kernel counts bulk. */
  readonly modelBytesThroughLimitedRelay: number
  /** That the busier home made in its worst try, which takes less than a minute. */
  readonly dials: number
  readonly tries: number
  readonly successes: number
  readonly pass: boolean
}

interface TryResult {
  readonly connected: Connected
  readonly ms: number | null
  readonly megabytesPerSecond: number | null
  readonly relayBytes: number
  readonly dials: number
  readonly success: boolean
  /** Why it came to nothing, such as a daemon that ended by itself. */
  readonly trouble?: string
}

const nothing: TryResult = {
  connected: 'none',
  ms: null,
  megabytesPerSecond: null,
  relayBytes: 0,
  dials: 0,
  success: false
}

/** For a connection past the helper. */
const connectMsMax = 20_000
/** The same where WebRTC has its turn after a punch that does not get through, which takes ten seconds. */
const connectByWebRtcMsMax = 40_000
/** Then, for the first models. */
const tradeMsMax = 20_000
/** Where nothing past the helper is expected, the time in which a storm would show. */
const patienceMs = 15_000
/** For a router to open a port, once it is asked: what comes after is another matter. */
const portMsMax = 15_000
/** Of tries that must come to what is possible: G32 of a field where 0.7 is usual. */
const successShareMin = 0.9
/** From the first knowledge of each other to the connection, in the median. */
const medianMsMax = 2_000
/** Fewer tries have no median worth a verdict. */
const triesOfMedianMin = 5

export async function runPairs(
  rig: Rig,
  pairs: readonly Pair[],
  tries: number,
  onProgress: (line: string) => void
): Promise<PairResult[]> {
  refreshKernels()
  const helper = await rig.helper(1)
  // 5.3 MB: enough for a speed, little enough for training not to matter.
  const task = rig.task('pairs', [
    ...['--hidden', '1024,512', '--batch-size', '8', '--local-steps', '1'],
    ...['--exchange', 'gossip', '--interval', '1']
  ])
  const homes = new Map<string, Home>()
  const homeOf = async (side: string, kind: HomeKind): Promise<Home> => {
    const name = `${side}-${kind}`
    const known = homes.get(name)
    const home = known ?? (await rig.home(name, kind))
    homes.set(name, home)
    return home
  }
  const results: PairResult[] = []
  for (const [a, b] of pairs) {
    const two = [await homeOf('a', a), await homeOf('b', b)] as const
    const done: TryResult[] = []
    for (let attempt = 1; attempt <= tries; attempt++) {
      // What routers remember of the try before would help or hinder this one.
      for (const home of two) await home.forget()
      const result = await attemptOnce(rig, two, helper, task, expectedOf(a, b, rig.webrtc))
      done.push(result)
      onProgress(`${a} × ${b}, try ${attempt} of ${tries}: ${sentenceOf(result)}`)
    }
    results.push(summaryOf([a, b], expectedOf(a, b, rig.webrtc), done))
  }
  await helper.daemon.stop()
  return results
}

async function attemptOnce(
  rig: Rig,
  homes: readonly [Home, Home],
  helper: Helper,
  task: string,
  expected: Connected
): Promise<TryResult> {
  const before = { helper: traffic(helper.host), homes: homes.map(({ host }) => traffic(host)) }
  const startMs = performance.now()
  const members = homes.map((home, index) =>
    rig.member(home, [helper], ['--task', task, '--data', `glyphs?limit=200&test=50&seed=${index}`])
  )
  const meters: Speedometer[] = []
  try {
    const started = await startAll(homes, members)
    meters.push(...members.map(({ pid }) => new Speedometer(pid)))
    const [one, other] = homes.map((home, index) => ({
      home,
      member: members[index],
      peerId: started[index]?.peerId
    })) as [Seat, Seat]
    const hopeless = expected === 'relayed'
    const hopefulMs = rig.webrtc ? connectByWebRtcMsMax : connectMsMax
    const link = await watchLink(one, other, hopeless ? patienceMs : hopefulMs)
    const isPast = link.connected === 'direct' || link.connected === 'punched'
    const looks = await Promise.all(
      members.map((member) => member.until(hasTraded, isPast ? tradeMsMax : 0))
    )
    const traded = looks.every((look) => look !== undefined)
    const minutes = (performance.now() - startMs) / 60_000
    const relayBytes = since(before.helper, traffic(helper.host)).bulkBytesIn
    const dials = Math.max(
      ...homes.map(({ host }, index) => {
        const then = before.homes[index]
        return then === undefined ? 0 : since(then, traffic(host)).dials
      })
    )
    const connected = isPast ? link.connected : pathBetween(one, other)
    const unnamed = isPast ? [] : [one, other].flatMap(wrongNameOf)
    return {
      connected,
      ms: link.ms,
      megabytesPerSecond: traded
        ? Math.max(...meters.map(({ megabytesPerSecond }) => megabytesPerSecond))
        : null,
      relayBytes,
      dials,
      success:
        !isStorm(dials, minutes) &&
        isAsGood(connected, expected) &&
        (!isPast || traded) &&
        relayBytes === 0 &&
        unnamed.length === 0,
      ...(unnamed.length === 0 ? {} : { trouble: unnamed.join(', ') })
    }
  } catch (error) {
    if (!isStarlingError(error)) throw error
    return { ...nothing, trouble: error.message }
  } finally {
    for (const meter of meters) meter.stop()
    // With a goodbye: whoever comes next would dial those who were killed, too.
    await Promise.all(members.map((member) => member.stop()))
  }
}

/** A home whose router has to be asked for a port begins before the other one, as it would in life. */
async function startAll(homes: readonly Home[], members: readonly Member[]): Promise<Status[]> {
  const open = members.filter((_, index) => homes[index]?.opensPorts === true)
  const isOpen = ({ status }: Look): boolean => status.reachability === 'public'
  const started = new Map<Member, Status>()
  for (const group of [open, members.filter((member) => !open.includes(member))]) {
    await Promise.all(group.map(async (member) => started.set(member, await member.start())))
    if (group === open) await Promise.all(open.map((member) => member.until(isOpen, portMsMax)))
  }
  return members.flatMap((member) => started.get(member) ?? [])
}

/** Whoever can be reached by relays alone has to say so. */
function wrongNameOf({ home, member }: Seat): string[] {
  const said = member.newest?.status.reachability ?? 'nothing'
  return isRelayOnly(home.kind) && said !== 'relay-only' ? [`${home.name} says '${said}'`] : []
}

function summaryOf([a, b]: Pair, expected: Connected, tries: readonly TryResult[]): PairResult {
  const successes = tries.filter(({ success }) => success).length
  const ms = median(tries.flatMap(({ ms }) => ms ?? []))
  const isSoonEnough = tries.length < triesOfMedianMin || ms === null || ms <= medianMsMax
  return {
    a,
    b,
    expected,
    connected: mostCommon(tries.map(({ connected }) => connected)),
    ms,
    megabytesPerSecond: median(tries.flatMap((each) => each.megabytesPerSecond ?? [])),
    modelBytesThroughLimitedRelay: tries.reduce((sum, { relayBytes }) => sum + relayBytes, 0),
    dials: Math.max(...tries.map(({ dials }) => dials)),
    tries: tries.length,
    successes,
    pass: successes >= Math.ceil(successShareMin * tries.length) && isSoonEnough
  }
}

function sentenceOf({ connected, ms, megabytesPerSecond, success, ...rest }: TryResult): string {
  return [
    `${success ? 'ok' : 'FAIL'}, ${connected}`,
    ...(ms === null ? [] : [`after ${ms} ms`]),
    ...(megabytesPerSecond === null ? [] : [`${megabytesPerSecond.toFixed(0)} MB/s`]),
    `${rest.dials} dials`,
    ...(rest.trouble === undefined ? [] : [rest.trouble]),
    ...(rest.relayBytes === 0 ? [] : [`${rest.relayBytes} bulk bytes at the helper`])
  ].join(', ')
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((one, other) => one - other)
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null
}

function mostCommon<T>(values: readonly T[]): T {
  const counts = new Map<T, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  const [[first] = []] = [...counts].sort(([, one], [, other]) => other - one)
  return first as T
}
