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
  const all = sides.flatMap(({ sockets }) => sockets)
  if (all.length > 0) {
    // A dial ends at a port that is listened on; where both ends dialed, none does.
    const isDialed = sides.some(({ sockets, listening }) =>
      sockets.some(({ localPort }) => listening.has(localPort))
    )
    return isDialed ? 'direct' : 'punched'
  }
  const views = [viewsOf(a, b), viewsOf(b, a)].flat()
  if (views.some(({ kind }) => kind !== 'relayed')) return 'punched'
  return views.length > 0 ? 'relayed' : 'none'
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

/** By the clock of who was first to know of the other, where the daemons tell. */
async function toldAfter(a: Seat, b: Seat): Promise<number | undefined> {
  await pause(2 * lookMs)
  const told = [eventOf(a, b), eventOf(b, a)].filter((ms) => ms !== undefined)
  return told.length === 0 ? undefined : Math.max(...told)
}

function eventOf({ member }: Seat, { peerId }: Seat): number | undefined {
  const found = member.events.find(
    ({ event }) => event.kind === 'connection' && event.peer === peerId && event.path !== 'relayed'
  )
  return found === undefined ? undefined : Number(found.event.afterMs)
}

/** Models have gone both ways. */
export function hasTraded({ status }: Look): boolean {
  return status.exchanges.ok > 0 && status.bytes.received > 1_000_000
}
