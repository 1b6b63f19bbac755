import { decode, encode } from '@ipld/dag-cbor'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { z } from 'zod'
import {
  certificateBytesMax,
  invitationChainMax,
  invitationDaysMax,
  invitationUsesMax
} from '../../src/core/limits.ts'
import { sha256Hex } from '../../src/core/digest.ts'

/**
 * Who may take part in a private swarm, in writing: one peer signs that another one belongs to the
 * swarm of a task until a date. Whoever trusts the first issuer of a chain can check all of it alone,
 * with nobody else online (docs/decisions/0004-who-is-let-in.md).
 */

/** What is signed. */
export interface Certificate {
  /** CID of the task. */
  readonly task: string
  /** Peer ids. */
  readonly issuer: string
  readonly subject: string
  /** Seconds since 1970, by the issuer's clock. */
  readonly issuedAt: number
  readonly notAfter: number
  /** How many certificates may follow this one in a chain: 0 for one that lets in, and no more. */
  readonly mayPassOn: number
  /** How many different peers each member lets in by it; 0 for any number. */
  readonly usesMax: number
  /** Tells two of the same content apart. */
  readonly nonce: Uint8Array
}

export interface SignedCertificate {
  /** Of what was signed, as it came: 64 hexadecimal digits. */
  readonly id: string
  readonly certificate: Certificate
  readonly body: Uint8Array
  readonly signature: Uint8Array
}

/** First to last, each signed by the subject of the one before. */
export type Chain = readonly SignedCertificate[]

/** So that nothing else that a peer signs can be taken for a certificate. */
const purpose = Buffer.from('starling admission certificate 1\n')

const daySeconds = 86_400

const peerId = z.string().max(128).refine(isEd25519)
const seconds = z
  .int()
  .min(0)
  .max(2 ** 40)
const bodySchema = z.tuple([
  z.literal(1),
  z.string().min(1).max(128),
  peerId,
  peerId,
  seconds,
  seconds,
  z
    .int()
    .min(0)
    .max(invitationChainMax - 1),
  z.int().min(0).max(invitationUsesMax),
  z.instanceof(Uint8Array).refine(({ length }) => length === 16)
])

const chainSchema = z
  .array(z.tuple([z.instanceof(Uint8Array), z.instanceof(Uint8Array)]))
  .min(1)
  .max(invitationChainMax)

export async function signCertificate(
  certificate: Certificate,
  key: Ed25519PrivateKey
): Promise<SignedCertificate> {
  const { task, issuer, subject, issuedAt, notAfter, mayPassOn, usesMax, nonce } = certificate
  const content = [1, task, issuer, subject, issuedAt, notAfter, mayPassOn, usesMax, nonce]
  const body = Uint8Array.from(encode(content))
  const signature = Uint8Array.from(await key.sign(Buffer.concat([purpose, body])))
  return { id: sha256Hex(body), certificate, body, signature }
}

/** The pieces of a chain as they travel. */
export function encodeChain(chain: Chain): [Uint8Array, Uint8Array][] {
  return chain.map(({ body, signature }) => [body, signature])
}

/** @returns undefined for anything that is no chain; who signed it is not looked at */
export function decodeChain(content: unknown): Chain | undefined {
  const pieces = chainSchema.safeParse(content).data
  const chain = pieces?.map(([body, signature]) => decodeCertificate(body, signature))
  return chain?.every((each) => each !== undefined) === true ? chain : undefined
}

function decodeCertificate(body: Uint8Array, signature: Uint8Array): SignedCertificate | undefined {
  if (body.length > certificateBytesMax || signature.length !== 64) return undefined
  try {
    const read = bodySchema.safeParse(decode(body)).data
    if (read === undefined) return undefined
    const [, task, issuer, subject, issuedAt, notAfter, mayPassOn, usesMax, nonce] = read
    const certificate = {
      ...{ task, issuer, subject, issuedAt, notAfter, mayPassOn, usesMax, nonce }
    }
    return { id: sha256Hex(body), certificate, body, signature }
  } catch {
    return undefined
  }
}

/** Why a chain lets nobody in. */
export type Flaw =
  | 'issuer' // the first one signed it, and is nobody whose invitations count here
  | 'signature' // not by whom it says
  | 'chain' // a link that does not follow from the one before
  | 'subject' // made out to another peer
  | 'task' // for another swarm
  | 'expired'

export interface Question {
  /** Who shows it; the connection has proved that. */
  readonly subject: string
  /** CID of our task; null while we have none: then any will do. */
  readonly task: string | null
  readonly trusts: (issuer: string) => boolean
  /** By our wall clock, in milliseconds. */
  readonly nowMs: number
}

/**
 * How far two wall clocks may be apart, in seconds: machines without a battery, and those that take
 * local time for UTC, are wrong by hours and not by days. Invitations are counted in days.
 */
export const clockToleranceSeconds = daySeconds

/** @returns what is wrong with a chain, or undefined and it lets its subject in */
export async function flawOf(chain: Chain, question: Question): Promise<Flaw | undefined> {
  const { subject, task, trusts, nowMs } = question
  const [first] = chain
  if (first === undefined || !trusts(first.certificate.issuer)) return 'issuer'
  if (chain.at(-1)?.certificate.subject !== subject) return 'subject'
  for (const [index, { certificate }] of chain.entries()) {
    const before = chain[index - 1]?.certificate
    const follows =
      before === undefined ||
      (before.subject === certificate.issuer && certificate.mayPassOn < before.mayPassOn)
    if (!follows) return 'chain'
    if (certificate.task !== (task ?? first.certificate.task)) return 'task'
    if (nowMs / 1000 > certificate.notAfter + clockToleranceSeconds) return 'expired'
  }
  for (const signed of chain) if (!(await isSignedByIssuer(signed))) return 'signature'
  return undefined
}

/** When a chain lets nobody in any more, in seconds since 1970, without tolerance. */
export function endOf(chain: Chain): number {
  return Math.min(...chain.map(({ certificate }) => certificate.notAfter))
}

async function isSignedByIssuer({
  certificate,
  body,
  signature
}: SignedCertificate): Promise<boolean> {
  const id = peerIdFromString(certificate.issuer)
  if (id.type !== 'Ed25519') return false
  try {
    return await id.publicKey.verify(Buffer.concat([purpose, body]), signature)
  } catch {
    return false
  }
}

function isEd25519(text: string): boolean {
  try {
    return peerIdFromString(text).type === 'Ed25519'
  } catch {
    return false
  }
}

/** A certificate's end, `days` from now. */
export function daysFrom(nowMs: number, days: number): number {
  return Math.floor(nowMs / 1000) + Math.min(days, invitationDaysMax) * daySeconds
}
