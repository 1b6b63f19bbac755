import { setTimeout as pause } from 'node:timers/promises'
import type { Home } from './home.ts'
import type { Connected } from './expected.ts'
import type { Look, Member } from './member.ts'
import { tcpSockets } from './sockets.ts'

/** What came of two members that were started. */

export interface Link {
  readonly connected: Connected
  /** From when one first knew of the other to the connection; null when there is none but a relayed one. */
  readonly ms: number | null
}

export interface Seat {
  readonly home: Home
  readonly member: Member
  readonly peerId: string
}

const lookMs = 20
/** For both daemons to tell of a connection that their kernels list. */
const tellMsMax = 2_000

/**
 * Wait for a connection that passes no relay. What passes for one is what the kernels of both homes
 * list; daemons are believed only about what is no TCP connection.
 */
export async function watchLink(a: Seat, b: Seat, deadlineMs: number): Promise<Link> {
  const startMs = performance.now()
  let knownMs: number | undefined
  for (;;) {
    const nowMs = performance.now()
    if (knowsOf(a, b) || knowsOf(b, a)) knownMs ??= nowMs
    const path = pathBetween(a, b)
    const isOver = nowMs - startMs > deadlineMs
    if (path === 'direct' || path === 'punched') {
      const toldMs = await toldAfter(a, b)
      return { connected: path, ms: Math.round(toldMs ?? nowMs - (knownMs ?? nowMs)) }
    }
    if (isOver) return { connected: path, ms: null }
    await pause(lookMs)
  }
}

/** How the two are connected at this moment. */
export function pathBetween(a: Seat, b: Seat): Connected {
  const sides = [socketsTo(a, b), socketsTo(b, a)]
  // Until both kernels list it, it may be half open: or one was looked at a moment too early.
  if (sides.every(({ sockets }) => sockets.length > 0)) {
    // A dial ends at a port that is listened on; where both ends dialed, none does.
    const isDialed = sides.some(({ sockets, listening }) =>
      sockets.some(({ localPort }) => listening.has(localPort))
    )
    return isDialed ? 'direct' : 'punched'
  }
  const views = [viewsOf(a, b), viewsOf(b, a)].flat()
  if (views.some(({ kind, address }) => kind !== 'relayed' && !address.includes('/tcp/'))) {
    return 'punched'
  }
  return views.some(({ kind }) => kind === 'relayed') ? 'relayed' : 'none'
}

function socketsTo({ member }: Seat, { home }: Seat) {
  const { listening, established } = tcpSockets(member.pid)
  const hosts = [home.outside, home.addresses.ip4, home.addresses.ip6]
  // Behind routers, everybody's own address is alike.
  const own = home.isRouted ? hosts : [home.outside]
  return { listening, sockets: established.filter(({ remoteHost }) => own.includes(remoteHost)) }
}

function viewsOf({ member }: Seat, { peerId }: Seat) {
  const connections = member.newest?.peers.connections ?? []
  return connections.filter(({ peer }) => peer === peerId)
}

function knowsOf({ member }: Seat, { peerId }: Seat): boolean {
  const has = (what: unknown): boolean => JSON.stringify(what).includes(peerId)
  return has(member.newest?.peers ?? null) || member.events.some(({ event }) => has(event))
}

/** By the clock of who was first to know of the other: whoever was dialed says 0, and often says so first. */
async function toldAfter(a: Seat, b: Seat): Promise<number | undefined> {
  const startMs = performance.now()
  for (;;) {
    const told = [eventOf(a, b), eventOf(b, a)].filter((ms) => ms !== undefined)
    const isOver = performance.now() - startMs > tellMsMax
    if (told.length === 2 || isOver) return told.length === 0 ? undefined : Math.max(...told)
    await pause(lookMs)
  }
}

function eventOf({ member }: Seat, { peerId }: Seat): number | undefined {
  const found = member.events.find(
    ({ event }) => event.kind === 'connection' && event.peer === peerId && event.path !== 'relayed'
  )
  return found === undefined ? undefined : Number(found.event.afterMs)
}

/** Models have gone both ways. */
export function hasTraded({ status }: Look): boolean {
  return status.exchanges.ok > 0 && status.bytes.received > 100_000
}
