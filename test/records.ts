import { SignedRecord, type PeerRecord } from '../protocols/records/record.ts'
import { Notary } from '../sim/notary.ts'
import { Random } from '../src/core/random.ts'

/** Signs for everybody in tests that need no real keys. */
export const notary = new Notary(new Random('tests'))

export function recordOf(peer: string, changes: Partial<PeerRecord> = {}): SignedRecord {
  const record: PeerRecord = {
    peer,
    sequence: 1,
    role: 'peer',
    task: 'task',
    addresses: [`/memory/${peer}`],
    version: '1.2.3',
    round: 0,
    age: 0,
    ...changes
  }
  return SignedRecord.sign(record, notary.signerOf(record.peer))
}
