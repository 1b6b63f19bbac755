import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'
import { StarlingError } from '../../src/core/errors.ts'
import { isOpenToOthers, openToRead, readInto, writeOnce } from '../files.ts'

/**
 * A key that all members of a swarm hold, in the format of go-libp2p and js-libp2p: 95 bytes of text.
 * Without it nobody gets as far as to say who they are, nor sees more than noise on the line.
 */

const header = '/key/swarm/psk/1.0.0/\n/base16/\n'
const keyBytes = 32
/** The key, and what an editor may have put behind it. */
const fileBytesMax = header.length + 2 * keyBytes + 4

/**
 * @param path - where no file is yet
 * @throws STARLING_BAD_SWARM_KEY when there is one
 */
export async function createSwarmKey(path: string): Promise<void> {
  const text = header + randomBytes(keyBytes).toString('hex')
  if (await writeOnce(resolve(path), [Buffer.from(text)])) return
  throw new StarlingError(
    'STARLING_BAD_SWARM_KEY',
    `${path} is there already, and whoever holds it would be locked out: name another file`
  )
}

/** @throws STARLING_BAD_SWARM_KEY when it is missing, something else, or open to other users */
export async function readSwarmKey(path: string): Promise<Uint8Array> {
  const handle = await openToRead(resolve(path))
  if (handle === undefined) {
    throw bad(path, "is not there: 'starling key new FILE' makes one, to be given to every member")
  }
  try {
    if (isOpenToOthers((await handle.stat()).mode)) {
      throw bad(path, `may be read by other users: run chmod 600 '${path}'`)
    }
    const bytes = Buffer.alloc(fileBytesMax + 1)
    const read = bytes.subarray(0, await readInto(handle, bytes, 0)).toString('latin1')
    const text = read.replace(/\r\n?/g, '\n').trimEnd()
    if (!text.startsWith(header) || !/^[0-9a-fA-F]{64}$/.test(text.slice(header.length))) {
      throw bad(
        path,
        "is no swarm key: copy it from another member, or make one with 'starling key new'"
      )
    }
    return Buffer.from(text)
  } finally {
    await handle.close()
  }
}

function bad(path: string, what: string): StarlingError {
  return new StarlingError('STARLING_BAD_SWARM_KEY', `${path} ${what}`)
}
