import { StarlingError } from '../../src/core/errors.ts'
import { addressLengthMax, linkAddressesMax, linkLengthMax } from '../../src/core/limits.ts'
import { isTaskCid } from '../tasks.ts'
import { readPeerAddress } from '../network/addresses.ts'
import { readInvitation, writeInvitation, type Invitation } from './invitation.ts'

/** All that it takes to join a swarm, in one line to be sent to a friend. */
export interface JoinLink {
  /** CID. */
  readonly task: string
  /** Multiaddrs, each with a peer id; none on a local network, where peers are found. */
  readonly via: readonly string[]
  readonly invite?: Invitation
}

const start = 'starling://join?'

/** `starling://join?task=CID&via=MULTIADDR&via=…[&invite=…]` */
export function writeLink({ task, via, invite }: JoinLink): string {
  const words = [
    `task=${task}`,
    // Multiaddrs consist of letters, digits and slashes, mostly: the link stays readable.
    ...via.map((address) => `via=${encodeURIComponent(address).replaceAll('%2F', '/')}`),
    ...(invite === undefined ? [] : [`invite=${writeInvitation(invite)}`])
  ]
  return start + words.join('&')
}

export function isLink(text: string): boolean {
  return /^\s*starling:/i.test(text)
}

/**
 * Read a link that somebody sent.
 * @throws STARLING_BAD_LINK saying what is wrong with it, STARLING_BAD_INVITATION
 */
export function readLink(text: string): JoinLink {
  const link = text.trim()
  if (link.length > linkLengthMax) throw bad(`it has more than ${linkLengthMax} characters`)
  if (!link.startsWith(start)) throw bad(`it should begin with ${start}`)
  const given = new Map<string, string[]>()
  for (const word of link.slice(start.length).split('&')) {
    const [, name = '', written = ''] = /^([^=]*)=(.*)$/.exec(word) ?? []
    if (!known.includes(name))
      throw bad(`it says '${word.slice(0, 40)}'; known: ${known.join(', ')}`)
    given.set(name, [...(given.get(name) ?? []), decoded(written)])
  }
  const { task, invite, via } = {
    task: given.get('task') ?? [],
    invite: given.get('invite') ?? [],
    via: given.get('via') ?? []
  }
  const [cid] = task
  if (cid === undefined || task.length > 1 || !isTaskCid(cid)) {
    throw bad('it should name one task by its CID (task=…)')
  }
  if (via.length > linkAddressesMax) throw bad(`it has more than ${linkAddressesMax} addresses`)
  for (const address of via) {
    if (address.length > addressLengthMax) throw bad('one of its addresses is too long')
    readPeerAddress(address, 'the link')
  }
  const [token] = invite
  if (invite.length > 1) throw bad('it has several invitations')
  if (token === undefined) return { task: cid, via }
  const invitation = readInvitation(token)
  if (invitation.chain[0]?.certificate.task !== cid) throw bad('its invitation is for another task')
  return { task: cid, via, invite: invitation }
}

const known = ['task', 'via', 'invite']

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw bad(`'${text.slice(0, 40)}' is not complete`)
  }
}

function bad(what: string): StarlingError {
  return new StarlingError(
    'STARLING_BAD_LINK',
    `the link: ${what}. One looks like ${start}task=CID&via=MULTIADDR, and is copied as a whole`
  )
}
