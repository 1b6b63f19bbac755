import { admittedMax, countedCertificatesMax } from '../../src/core/limits.ts'
import { nobody, type AllowList } from './allow-list.ts'
import { clockToleranceSeconds, endOf, flawOf, type Chain, type Flaw } from './certificate.ts'
import { dateOf } from './invitation.ts'
import type { Uses } from './uses.ts'

/**
 * Who takes part in our swarm, as far as we are concerned: every member decides for itself.
 *
 * `open`: everybody. `listed`: those in the allow list; nobody else gets a connection. `invited`:
 * those, and whoever shows an invitation that goes back to somebody whose invitations count here:
 * ourselves, who invited us, and whom the allow list says.
 */
export type Mode = 'open' | 'listed' | 'invited'

/** Why a peer is not let in. `no-invitation`: it showed none. `used-up`: others came with it before. */
export type Refusal = Flaw | 'no-invitation' | 'malformed' | 'denied' | 'used-up'

export type Verdict =
  | { readonly isIn: true }
  | { readonly isIn: false; readonly reason: Refusal; readonly detail: string }

export interface GateOptions {
  readonly self: string
  readonly mode: Mode
  /** CID of the task that invitations must be for; null while there is none: then any will do. */
  readonly task: string | null
  readonly allow: AllowList
  /** What lets us in ourselves; undefined for a founder. */
  readonly chain: Chain | undefined
  /** Peers that the user told us to connect to: they may help even where they are no members. */
  readonly helpers: readonly string[]
  /** Uses of certificates in earlier lives. */
  readonly uses: Uses
  /** One of them was used by somebody new. */
  readonly onUsed: () => void
}

export class Gate {
  readonly mode: Mode
  /** What lets us in ourselves. */
  readonly chain: Chain | undefined
  readonly #self: string
  readonly #helpers: Set<string>
  readonly #uses: Uses
  readonly #onUsed: () => void
  /** Who showed what lets it in, and until when, in seconds since 1970. */
  readonly #admitted = new Map<string, { readonly end: number; readonly chain: Chain }>()
  /** Whom not to dial before, in milliseconds: one of us would not let the other in. */
  readonly #parted = new Map<string, number>()
  #task: string | null
  #allow: AllowList

  constructor(options: GateOptions) {
    this.mode = options.mode
    this.chain = options.chain
    this.#self = options.self
    this.#task = options.task
    this.#allow = options.allow
    this.#helpers = new Set(options.helpers)
    this.#uses = options.uses
    this.#onUsed = options.onUsed
  }

  /** We have one now. */
  set task(cid: string) {
    this.#task = cid
  }

  /** The file has changed. */
  set allow(list: AllowList) {
    this.#allow = list
    this.#parted.clear()
  }

  /** The user told us to connect to it. */
  addHelper(peer: string): void {
    this.#helpers.add(peer)
  }

  isHelper(peer: string): boolean {
    return this.#helpers.has(peer)
  }

  /** Whether to have a connection at all, even one on which an invitation could be shown. */
  mayConnect(peer: string): boolean {
    if (this.#allow.denied.has(peer)) return false
    return this.mode !== 'listed' || this.#allow.members.has(peer) || this.isHelper(peer)
  }

  /** Whether to dial it. Who would not let us in is asked again, but not at once. */
  mayDial(peer: string, nowMs: number): boolean {
    return this.mayConnect(peer) && (this.isHelper(peer) || nowMs >= (this.#parted.get(peer) ?? 0))
  }

  /** One of us does not let the other in. */
  parted(peer: string, nowMs: number): void {
    this.#parted.delete(peer)
    this.#parted.set(peer, nowMs + partedMs)
    forgetOldest(this.#parted)
  }

  /** Whether to exchange frames with it, by what is known of it. */
  isMember(peer: string, nowMs: number): boolean {
    if (this.#allow.denied.has(peer)) return false
    if (this.mode === 'open' || this.#allow.members.has(peer)) return true
    if (this.mode === 'listed') return false
    if (this.#isIssuerOfOurs(peer)) return true
    const admission = this.#admitted.get(peer)
    return admission !== undefined && !this.#isOver(admission, nowMs)
  }

  /** Judge what a peer shows, and remember it when that lets it in. */
  async admit(peer: string, chain: Chain | undefined, nowMs: number): Promise<Verdict> {
    if (this.#allow.denied.has(peer)) return refusal('denied')
    if (this.isMember(peer, nowMs)) return { isIn: true }
    if (this.mode === 'listed') return refusal('no-invitation')
    if (chain === undefined) return refusal('no-invitation')
    const flaw = await flawOf(chain, {
      subject: peer,
      task: this.#task,
      trusts: (issuer) => this.#trusts(issuer),
      nowMs
    })
    if (flaw !== undefined) return refusal(flaw, flaw === 'expired' ? times(chain, nowMs) : '')
    if (chain.some(({ certificate }) => this.#allow.denied.has(certificate.issuer))) {
      return refusal('denied')
    }
    if (!this.#count(chain, peer)) return refusal('used-up')
    this.#admitted.delete(peer)
    this.#admitted.set(peer, { end: endOf(chain), chain })
    forgetOldest(this.#admitted)
    return { isIn: true }
  }

  /** A founder has no invitation: those who trust it know its id. */
  #isIssuerOfOurs(peer: string): boolean {
    return this.chain?.[0]?.certificate.issuer === peer
  }

  #trusts(issuer: string): boolean {
    return issuer === this.#self || this.#isIssuerOfOurs(issuer) || this.#allow.inviters.has(issuer)
  }

  #isOver({ end, chain }: { end: number; chain: Chain }, nowMs: number): boolean {
    if (nowMs / 1000 > end + clockToleranceSeconds) return true
    return chain.some(({ certificate }) => this.#allow.denied.has(certificate.issuer))
  }

  /** @returns false when others used it up before */
  #count(chain: Chain, peer: string): boolean {
    const limited = chain.filter(({ certificate }) => certificate.usesMax > 0)
    for (const { id, certificate } of limited) {
      const subjects = this.#uses.get(id)?.subjects
      if (subjects?.has(peer) !== true && (subjects?.size ?? 0) >= certificate.usesMax) return false
    }
    for (const { id, certificate } of limited) {
      const use = this.#uses.get(id) ?? { notAfter: certificate.notAfter, subjects: new Set() }
      use.subjects.add(peer)
      this.#uses.set(id, use)
    }
    while (this.#uses.size > countedCertificatesMax) forgetFirstToEnd(this.#uses)
    if (limited.length > 0) this.#onUsed()
    return true
  }
}

export const openGate = (self: string): Gate =>
  new Gate({
    self,
    mode: 'open',
    task: null,
    allow: nobody,
    chain: undefined,
    helpers: [],
    uses: new Map(),
    onUsed: () => undefined
  })

/** An invitation may have come by then. */
const partedMs = 300_000

function forgetOldest(map: Map<string, unknown>): void {
  for (const oldest of map.keys()) {
    if (map.size <= admittedMax) return
    map.delete(oldest)
  }
}

function forgetFirstToEnd(uses: Uses): void {
  const [first] = [...uses].sort(([, a], [, b]) => a.notAfter - b.notAfter)
  if (first !== undefined) uses.delete(first[0])
}

const details: Readonly<Record<Refusal, string>> = {
  'no-invitation': 'the swarm is private, and no invitation was shown',
  malformed: 'what was shown is no invitation',
  denied: 'this peer, or who invited it, is denied',
  'used-up': 'as many others as the invitation is for came with it before',
  issuer: 'the invitation is from somebody whose invitations do not count here',
  signature: 'a signature in the invitation is wrong',
  chain: 'somebody in the invitation had no right to pass it on',
  subject: 'the invitation is made out to another peer',
  task: 'the invitation is for another task',
  expired: 'the invitation has run out'
}

export function refusal(reason: Refusal, more = ''): Verdict {
  return {
    isIn: false,
    reason,
    detail: more === '' ? details[reason] : `${details[reason]}: ${more}`
  }
}

export function isRefusal(text: string): text is Refusal {
  return Object.hasOwn(details, text)
}

/** Both clocks, so that whoever reads it sees which one is wrong. */
function times(chain: Chain, nowMs: number): string {
  return `it ended on ${dateOf(endOf(chain))}, and it is ${dateOf(nowMs / 1000)} by the clock here`
}
