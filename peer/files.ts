import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import {
  link,
  lstat,
  mkdir,
  open,
  readdir,
  rename,
  unlink,
  type FileHandle
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { StarlingError } from '../src/core/errors.ts'

/**
 * Files that survive a crash: whoever reads one finds the old content or the new, never a mixture.
 *
 * A file is written under a temporary name, forced to disk, given its real name, and then the
 * directory is forced to disk: without the last step a power cut may still forget the name.
 */

/** Temporary files of ours, and nobody else's, look like this. */
const temporaryPattern = /^\.starling-[0-9a-f]{16}\.tmp$/

/** Windows has neither these modes nor directories that can be synchronised. */
const posix = process.platform !== 'win32'

/**
 * Replace a file, or make it. A symbolic link of that name is replaced, not followed.
 *
 * @param pieces - the content, in order; not written to meanwhile
 * @throws STARLING_HOME_UNUSABLE when the disk does not take it; the old file is then still there,
 *   unless only the last step failed, when either may be
 */
export async function writeAtomically(path: string, pieces: readonly Uint8Array[]): Promise<void> {
  await publish(path, pieces, rename)
}

/**
 * Make a file that is not there yet.
 * @returns false when there is one already, which stays as it is
 * @throws STARLING_HOME_UNUSABLE when the disk does not take it
 */
export async function writeOnce(path: string, pieces: readonly Uint8Array[]): Promise<boolean> {
  try {
    await publish(path, pieces, async (temporary) => {
      await link(temporary, path) // fails when the name is taken, unlike a rename
      await unlink(temporary)
    })
    return true
  } catch (error) {
    if (error instanceof StarlingError && error.details.errno === 'EEXIST') return false
    throw error
  }
}

async function publish(
  path: string,
  pieces: readonly Uint8Array[],
  giveName: (temporary: string, path: string) => Promise<void>
): Promise<void> {
  const temporary = join(dirname(path), `.starling-${randomBytes(8).toString('hex')}.tmp`)
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      for (const piece of pieces) await handle.writeFile(piece)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await giveName(temporary, path)
    await syncDirectory(dirname(path))
  } catch (error) {
    await unlink(temporary).catch(() => undefined) // it may have its real name by now, or never existed
    throw diskError(error, `cannot write ${path}`)
  }
}

async function syncDirectory(path: string): Promise<void> {
  if (!posix) return
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Remove what an earlier life left half written. Only while nobody else writes there.
 * @returns how many files were removed
 */
export async function sweepTemporaries(directory: string): Promise<number> {
  const leftovers = (await listDirectory(directory)).filter((name) => temporaryPattern.test(name))
  for (const name of leftovers) await removeFile(join(directory, name))
  return leftovers.length
}

/** Names in a directory, sorted. @throws STARLING_HOME_UNUSABLE */
export async function listDirectory(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).sort()
  } catch (error) {
    throw diskError(error, `cannot list ${directory}`)
  }
}

/** Remove a file; nothing to do when it is gone already. @throws STARLING_HOME_UNUSABLE */
export async function removeFile(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw diskError(error, `cannot remove ${path}`)
  }
}

/**
 * Read a whole file of at most bytesMax, without following a symbolic link.
 *
 * @returns undefined when there is no such file
 * @throws STARLING_HOME_UNUSABLE when it is no ordinary file, larger, or cannot be read
 */
export async function readBounded(path: string, bytesMax: number): Promise<Buffer | undefined> {
  const handle = await openToRead(path)
  if (handle === undefined) return undefined
  try {
    const { size } = await handle.stat()
    if (size > bytesMax) {
      throw new StarlingError(
        'STARLING_HOME_UNUSABLE',
        `${path} has ${size} bytes, more than the ${bytesMax} that it may have`
      )
    }
    const content = Buffer.alloc(size)
    return content.subarray(0, await readInto(handle, content, 0))
  } catch (error) {
    throw diskError(error, `cannot read ${path}`)
  } finally {
    await handle.close()
  }
}

/**
 * Fill `target` from `position` on.
 * @returns the number of bytes read, fewer than asked for only at the end of the file
 */
export async function readInto(
  handle: FileHandle,
  target: Uint8Array,
  position: number
): Promise<number> {
  let filled = 0
  while (filled < target.length) {
    const length = Math.min(target.length - filled, readBytesMax)
    const { bytesRead } = await handle.read(target, filled, length, position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}

/** One read of the system; far below the 2 GiB at which it stops. */
const readBytesMax = 2 ** 24

/**
 * Open an ordinary file for reading, without following a symbolic link; undefined when there is none.
 * @throws STARLING_HOME_UNUSABLE
 */
export async function openToRead(path: string): Promise<FileHandle | undefined> {
  try {
    // Without O_NONBLOCK a named pipe in place of the file would hold us for ever.
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    const handle = await open(path, flags)
    if ((await handle.stat()).isFile()) return handle
    await handle.close()
    throw new StarlingError('STARLING_HOME_UNUSABLE', `${path} is not an ordinary file`)
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined
    throw diskError(error, `cannot read ${path}`)
  }
}

/**
 * Make a directory that only we may enter, unless it is there. Its parent must exist.
 * @throws STARLING_HOME_UNUSABLE when it is something else, a symbolic link, or others may write to it
 */
export async function ensureDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
    await syncDirectory(dirname(path))
    return
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw diskError(error, `cannot make ${path}`)
  }
  const stat = await lstat(path)
  if (!stat.isDirectory()) {
    throw new StarlingError(
      'STARLING_HOME_UNUSABLE',
      `${path} is ${stat.isSymbolicLink() ? 'a symbolic link' : 'not a directory'}: ` +
        'name a real directory, or move it out of the way'
    )
  }
  if (posix && (stat.mode & 0o022) !== 0) {
    throw new StarlingError(
      'STARLING_HOME_UNUSABLE',
      `other users may write to ${path}: run chmod 700 '${path}'`
    )
  }
}

/** Whether other users may read or write, by a file's mode; never on Windows, which has none. */
export function isOpenToOthers(mode: number): boolean {
  return posix && (mode & 0o077) !== 0
}

/** The system's name for what went wrong, such as ENOSPC. */
export function errnoOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}

/** The world's trouble with a disk, in words, with what can be done about it. */
export function diskError(error: unknown, what: string): StarlingError {
  if (error instanceof StarlingError) return error
  const errno = errnoOf(error) ?? 'unknown'
  const remedy = remedies[errno]
  return new StarlingError(
    'STARLING_HOME_UNUSABLE',
    `${what}: ${remedy ?? (error instanceof Error ? error.message : String(error))} (${errno})`,
    { errno }
  )
}

const remedies: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free some space',
  EDQUOT: 'the disk quota is used up; free some space',
  EFBIG: 'the file system does not take files of this size',
  EROFS: 'the file system is read-only; mount it writable, or move the home with --home',
  EACCES: 'permission denied; check the owner and the mode of the directory',
  EPERM: 'the file system or its permissions do not allow it',
  EIO: 'the disk reports an error; check it, and the cable',
  ELOOP: 'it is a symbolic link, which is not followed here',
  ENOENT: 'the directory is gone',
  ENOTDIR: 'a part of the path is not a directory',
  EMFILE: 'too many open files; raise ulimit -n'
}
