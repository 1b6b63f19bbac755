import type { PeerId, ToldRecord } from '../../protocols/messages.ts'
import { SignedRecord } from '../../protocols/records/record.ts'
import { recordsPerMessageMax } from '../../src/core/limits.ts'
import type { Accomplices, Attack } from './attack.ts'
import type { SpecOf } from './spec.ts'

/** What accomplices say of themselves is never as high. */
const sequencesFrom = 2 ** 20

/**
 * Lies about whom there is to meet, to one who looks for peers: it names accomplices alone, so that
 * its victim's neighbours become hostile one after another (Singh et al., "Eclipse Attacks on Overlay
 * Networks", INFOCOM 2006), or peers that do not exist, whose dialing takes time. It does so in place
 * of every list of peers, and with every model. All records are signed as they should be: accomplices
 * share their keys, and anybody can make keys.
 */
export function contacts({ to: goal }: SpecOf<'contacts'>, accomplices: Accomplices): Attack {
  const { names, random } = accomplices
  let sequence = sequencesFrom
  const list = (): readonly ToldRecord[] => {
    const peers =
      goal === 'accomplices'
        ? random.shuffle(names())
        : Array.from({ length: recordsPerMessageMax }, () => `nobody-${random.integer(2 ** 32)}`)
    sequence++
    return peers.slice(0, recordsPerMessageMax).map((peer) => toldNow(peer, sequence, accomplices))
  }
  return {
    adopts: true,
    spies: false,
    instead: (message) => {
      const lie = { kind: 'peers', records: list() } as const
      if (message.kind === 'peers') return [lie]
      return message.kind === 'update' ? [message, lie] : undefined
    }
  }
}

/** A record of somebody whose key the attacker has, as if heard of just now. */
export function toldNow(
  peer: PeerId,
  sequence: number,
  { signerOf, task }: Pick<Accomplices, 'signerOf' | 'task'>
): ToldRecord {
  const claims = { task, addresses: [`/memory/${peer}`], version: '', round: 0, age: 0 }
  const signer = signerOf(peer)
  const signed = SignedRecord.sign({ peer, sequence, role: 'peer', ...claims }, signer)
  return { signed, heardSecondsAgo: 0 }
}
