import { randomBytes } from 'node:crypto'
import { decode, encode } from '@ipld/dag-cbor'
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { z } from 'zod'
import { StarlingError } from '../../src/core/errors.ts'
import { certificateBytesMax, invitationChainMax } from '../../src/core/limits.ts'
import {
  clockToleranceSeconds,
  daysFrom,
  decodeChain,
  encodeChain,
  endOf,
  signCertificate,
  type Certificate,
  type Chain
} from './certificate.ts'

/**
 * What travels in a link: a chain of certificates, made out to one peer; or to a key that is in the
 * link, too, with which whoever has the link makes it out to itself. So a link that anybody may use is
 * shown to nobody: members see a chain that is good for one peer only.
 */
export interface Invitation {
  readonly chain: Chain
  /** Of the key that the chain ends with; undefined when that is a peer. */
  readonly seed?: Uint8Array
}

export interface InvitationRequest {
  /** CID. */
  readonly task: string
  /** Peer id; null for whoever has the link. */
  readonly subject: string | null
  readonly days: number
  /** How many different peers each member lets in by it; 0 for any number. */
  readonly uses: number
  readonly mayInvite: boolean
  /** In milliseconds since 1970. */
  readonly nowMs: number
}

/** A chain of `may invite` goes this far: founder, one who may invite, and the key in a link. */
const mayInviteLinks = invitationChainMax - 1

/**
 * @param key - ours
 * @param own - what lets us in ourselves; undefined for a founder
 * @throws STARLING_BAD_INVITATION when what lets us in does not let us invite
 */
export async function invite(
  request: InvitationRequest,
  key: Ed25519PrivateKey,
  own: Chain | undefined
): Promise<Invitation> {
  const { task, subject, days, uses, mayInvite, nowMs } = request
  const left = own === undefined ? invitationChainMax : (own.at(-1)?.certificate.mayPassOn ?? 0)
  const passesOn = mayInvite ? mayInviteLinks : subject === null ? 1 : 0
  if (mayInvite && subject === null) {
    throw bad('who may invite others must be named (--for PEER): a link could go anywhere')
  }
  if (passesOn >= left) {
    const who = own?.[0]?.certificate.issuer
    throw bad(
      left === 0 || who === undefined
        ? `your own invitation does not let you invite: ask ${who}, or be invited with --may-invite`
        : `your own invitation does not let you pass that right on: ask ${who}`
    )
  }
  const seed = subject === null ? Uint8Array.from(randomBytes(32)) : undefined
  const certificate: Certificate = {
    task,
    issuer: key.publicKey.toString(),
    subject: subject ?? (await idOfSeed(seed)),
    issuedAt: Math.floor(nowMs / 1000),
    notAfter: Math.min(daysFrom(nowMs, days), own === undefined ? Infinity : endOf(own)),
    mayPassOn: passesOn,
    usesMax: uses,
    nonce: Uint8Array.from(randomBytes(16))
  }
  const chain = [...(own ?? []), await signCertificate(certificate, key)]
  return seed === undefined ? { chain } : { chain, seed }
}

/**
 * Make an invitation ours.
 * @returns a chain that ends with us
 * @throws STARLING_BAD_INVITATION when it is made out to somebody else, or has run out
 */
export async function accept(
  { chain, seed }: Invitation,
  self: string,
  nowMs: number
): Promise<Chain> {
  const last = chain.at(-1)?.certificate
  if (nowMs / 1000 > endOf(chain) + clockToleranceSeconds) {
    throw bad(
      `it ended on ${dateOf(endOf(chain))}, and this machine's clock says ` +
        `${new Date(nowMs).toISOString()}: set the clock if it is wrong, or ask for another invitation`
    )
  }
  if (seed === undefined || last === undefined) {
    if (last?.subject === self) return chain
    throw bad(`it is made out to ${last?.subject}, and this is ${self}: ask for one of your own`)
  }
  const key = await generateKeyPairFromSeed('Ed25519', seed)
  if (key.publicKey.toString() !== last.subject) throw bad('its key is not the one that was signed')
  const { task, issuedAt, notAfter } = last
  const certificate: Certificate = {
    ...{ task, issuedAt, notAfter },
    issuer: last.subject,
    subject: self,
    mayPassOn: 0,
    usesMax: 0,
    nonce: Uint8Array.from(randomBytes(16))
  }
  return [...chain, await signCertificate(certificate, key)]
}

const textSchema = z.strictObject({
  c: z.unknown(),
  s: z
    .instanceof(Uint8Array)
    .refine(({ length }) => length === 32)
    .optional()
})

/** Characters of an invitation in a link. */
const textLengthMax = Math.ceil((invitationChainMax * (certificateBytesMax + 80) * 4) / 3)

export function writeInvitation({ chain, seed }: Invitation): string {
  const content = { c: encodeChain(chain), ...(seed === undefined ? {} : { s: seed }) }
  return Buffer.from(encode(content)).toString('base64url')
}

/** @throws STARLING_BAD_INVITATION for anything that is none */
export function readInvitation(text: string): Invitation {
  if (text.length > textLengthMax || !/^[\w-]+$/.test(text)) throw bad('it is not complete')
  try {
    const { c, s } = textSchema.parse(decode(Buffer.from(text, 'base64url')))
    const chain = decodeChain(c)
    if (chain !== undefined) return s === undefined ? { chain } : { chain, seed: s }
  } catch {
    // Said below.
  }
  throw bad('it is damaged, or of a newer version: copy the whole link')
}

/** A date for people, such as 2027-01-31. */
export function dateOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10)
}

async function idOfSeed(seed: Uint8Array | undefined): Promise<string> {
  if (seed === undefined) throw bad('it is made out to nobody')
  return (await generateKeyPairFromSeed('Ed25519', seed)).publicKey.toString()
}

function bad(what: string): StarlingError {
  return new StarlingError('STARLING_BAD_INVITATION', `the invitation: ${what}`)
}
