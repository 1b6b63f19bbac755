import type { ToldRecord } from '../../protocols/messages.ts'
import { SignedRecord } from '../../protocols/records/record.ts'
import { recordsPerMessageMax } from '../../src/core/limits.ts'
import type { Accomplices, Attack, Parcel } from './attack.ts'
import { toldNow } from './contacts.ts'
import type { SpecOf } from './spec.ts'

/** Lists that go with one model: fewer than what counts as a flood. */
const listsAtOnce = 8

/**
 * Spoils what peers know of each other. With every model that it sends go
 * `made-up`: records of a thousand peers that do not exist, signed with keys of their own;
 * `old`: the first records that it ever had, as if it had just heard of them;
 * `forged`: records of honest peers with higher numbers and other addresses, which do not fit the signatures.
 */
export function records({ what, identities }: SpecOf<'records'>, accomplices: Accomplices): Attack {
  let made = 0
  const madeUp = (): ToldRecord => {
    const peer = `nobody-${made % identities}`
    return toldNow(peer, 1 + Math.floor(made++ / identities), accomplices)
  }
  const old = new Map<string, ToldRecord>()
  const lists = (): readonly (readonly ToldRecord[])[] => {
    switch (what) {
      case 'made-up':
        return Array.from({ length: listsAtOnce }, () =>
          Array.from({ length: recordsPerMessageMax }, madeUp)
        )
      case 'old':
        return [[...old.values()].slice(0, recordsPerMessageMax)]
      case 'forged':
        return [[...old.values()].slice(0, 1).map(forged)]
    }
  }
  return {
    adopts: true,
    spies: false,
    instead: (message): readonly Parcel[] | undefined => {
      if (message.kind === 'peers') remember(old, message.records)
      if (message.kind !== 'update' || (what !== 'made-up' && old.size === 0)) return undefined
      return [message, ...lists().map((list) => ({ kind: 'peers', records: list }) as const)]
    }
  }
}

function remember(old: Map<string, ToldRecord>, records: readonly ToldRecord[]): void {
  for (const { signed } of records) {
    const { peer } = signed.record
    if (!old.has(peer)) old.set(peer, { signed, heardSecondsAgo: 0 })
  }
}

function forged({ signed: { record, signature } }: ToldRecord): ToldRecord {
  const lie = { ...record, sequence: record.sequence + 1_000, addresses: ['/memory/nobody'] }
  return { signed: SignedRecord.sign(lie, { sign: () => signature }), heardSecondsAgo: 0 }
}
