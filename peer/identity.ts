import { generateKeyPair, privateKeyFromProtobuf, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { StarlingError } from '../src/core/errors.ts'
import {
  isOpenToOthers,
  openToRead,
  readBounded,
  readInto,
  writeAtomically,
  writeOnce
} from './files.ts'
import type { Home } from './home.ts'

/** An Ed25519 key takes 68 bytes; a file beyond this is something else. */
const identityBytesMax = 1024

/**
 * The key of this home, made when the home never had one.
 *
 * A home that had one remembers whose (the file `peer-id`), so that a lost key is an error to act
 * on and never silently a new peer.
 *
 * @throws STARLING_BAD_IDENTITY when the key is gone, empty, damaged, or open to other users
 */
export async function openIdentity(home: Home): Promise<Ed25519PrivateKey> {
  const recorded = await readPeerId(home)
  const key = (await readKey(home.identity)) ?? (await createKey(home, recorded))
  const peerId = peerIdOf(key)
  if (recorded === undefined) {
    await writeAtomically(home.peerId, [Buffer.from(`${peerId}\n`)])
  } else if (recorded !== peerId) {
    throw new StarlingError(
      'STARLING_BAD_IDENTITY',
      `${home.identity} is the key of ${peerId}, but this home is that of ${recorded}: ` +
        `restore the right key, or remove ${home.peerId} to go on as ${peerId}`
    )
  }
  return key
}

/** The peer id that belongs to a key, as people and messages write it. */
export function peerIdOf(key: Ed25519PrivateKey): string {
  return key.publicKey.toString()
}

async function createKey(home: Home, recorded: string | undefined): Promise<Ed25519PrivateKey> {
  if (recorded !== undefined) {
    throw new StarlingError(
      'STARLING_BAD_IDENTITY',
      `the key of ${recorded} is missing: restore ${home.identity} from a backup, ` +
        `or remove ${home.peerId} to go on as a new peer`
    )
  }
  const key = await generateKeyPair('Ed25519')
  const created = await writeOnce(home.identity, [privateKeyToProtobuf(key)])
  if (created) return key
  // Another process of ours was faster: its key is the one.
  const other = await readKey(home.identity)
  if (other === undefined) throw damaged(home.identity, 'vanished while it was read')
  return other
}

async function readKey(path: string): Promise<Ed25519PrivateKey | undefined> {
  const handle = await openToRead(path)
  if (handle === undefined) return undefined
  const bytes = Buffer.alloc(identityBytesMax)
  let bytesRead: number
  try {
    if (isOpenToOthers((await handle.stat()).mode)) {
      throw new StarlingError(
        'STARLING_BAD_IDENTITY',
        `other users may read or change the private key: run chmod 600 '${path}'`
      )
    }
    bytesRead = await readInto(handle, bytes, 0)
  } finally {
    await handle.close()
  }
  if (bytesRead === 0) throw damaged(path, 'is empty')
  let key
  try {
    key = privateKeyFromProtobuf(bytes.subarray(0, bytesRead))
  } catch {
    throw damaged(path, 'is not a private key')
  }
  if (key.type !== 'Ed25519') throw damaged(path, `is a key of type ${key.type}, not Ed25519`)
  return key
}

async function readPeerId(home: Home): Promise<string | undefined> {
  const bytes = await readBounded(home.peerId, identityBytesMax)
  return bytes?.toString('utf8').trim()
}

function damaged(path: string, what: string): StarlingError {
  return new StarlingError(
    'STARLING_BAD_IDENTITY',
    `${path} ${what}: restore it from a backup, or move it away, and the file peer-id beside it, ` +
      'to go on as a new peer'
  )
}
