import { setTimeout as pause } from 'node:timers/promises'
import { StarlingError } from '../../../src/core/errors.ts'
import { refreshKernels } from '../../kernels.ts'
import type { HomeKind } from '../homes.ts'
import type { Member } from '../member.ts'
import type { Helper, Rig } from '../rig.ts'
import { pathBetween, type Seat } from '../try.ts'

/** Members in homes that know nothing but helpers, and work on one small task. */

export const joinArguments = (task: string, seed: number): readonly string[] => [
  ...['--task', task, '--data', `glyphs?limit=200&test=50&seed=${seed}`]
]

/** Longer than it takes on any machine: what happens later is what is looked at. */
const linkSecondsMax = 60

/** 0.4 MB, traded once a second with one peer. */
export function smallTask(rig: Rig): string {
  refreshKernels()
  return rig.task('small', [
    ...['--hidden', '128', '--batch-size', '8', '--local-steps', '1'],
    ...['--exchange', 'gossip', '--interval', '1']
  ])
}

export interface NewSwarm {
  readonly rig: Rig
  readonly helpers: readonly Helper[]
  readonly task: string
  readonly kinds: readonly HomeKind[]
}

/** Started, one home of each kind. */
export async function startSwarm({ rig, helpers, task, kinds }: NewSwarm): Promise<Seat[]> {
  const seats: Seat[] = []
  for (const [index, kind] of kinds.entries()) {
    const home = await rig.home(`${index + 1}-${kind}`, kind)
    const member = rig.member(home, helpers, joinArguments(task, index))
    const { peerId } = await member.start()
    seats.push({ home, member, peerId })
  }
  return seats
}

/**
 * As many seconds as it takes from now until everybody has traded models anew.
 * @returns null when it took longer than `secondsMax`
 */
export async function secondsToTrade(
  members: readonly Member[],
  secondsMax: number
): Promise<number | null> {
  const startMs = performance.now()
  const before = members.map(tradesOf)
  const moved = members.map((member, index) =>
    member.until(
      () => tradesOf(member) !== undefined && tradesOf(member) !== before[index],
      secondsMax * 1_000
    )
  )
  const looks = await Promise.all(moved)
  if (looks.some((look) => look === undefined)) return null
  return secondsSince(startMs)
}

/** Started, all linked past the helpers, and models flow. @throws STARLING_CHECK_FAILED */
export async function startLinkedSwarm(swarm: NewSwarm): Promise<Seat[]> {
  const seats = await startSwarm(swarm)
  await allLinked(seats, linkSecondsMax)
  const members = seats.map(({ member }) => member)
  if ((await secondsToTrade(members, linkSecondsMax)) !== null) return seats
  throw new StarlingError(
    'STARLING_CHECK_FAILED',
    `all are linked, but not all trade models within ${linkSecondsMax} s`
  )
}

/** Every pair is linked past the helpers, or this is over. @throws STARLING_CHECK_FAILED */
export async function allLinked(seats: readonly Seat[], secondsMax: number): Promise<number> {
  const startMs = performance.now()
  for (;;) {
    const missing = seats.flatMap((one, index) =>
      seats.slice(index + 1).flatMap((other) => (isLinked(one, other) ? [] : [[one, other]]))
    )
    if (missing.length === 0) return secondsSince(startMs)
    if (performance.now() - startMs > secondsMax * 1_000) {
      const names = missing.map((pair) => pair.map((seat) => seat?.home.name).join(' × '))
      throw new StarlingError(
        'STARLING_CHECK_FAILED',
        `never linked within ${secondsMax} s: ${names.join(', ')}`
      )
    }
    await pause(100)
  }
}

export function isLinked(one: Seat, other: Seat): boolean {
  return ['direct', 'punched'].includes(pathBetween(one, other))
}

/** @returns null when it took longer than `secondsMax` */
export async function secondsUntil(
  isSo: () => boolean,
  secondsMax: number
): Promise<number | null> {
  const startMs = performance.now()
  while (!isSo()) {
    if (performance.now() - startMs > secondsMax * 1_000) return null
    await pause(50)
  }
  return secondsSince(startMs)
}

export function secondsSince(startMs: number): number {
  return Math.round((performance.now() - startMs) / 100) / 10
}

function tradesOf(member: Member): number | undefined {
  return member.newest?.status.exchanges.ok
}
