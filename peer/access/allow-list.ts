import { unwatchFile, watchFile } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { peerIdFromString } from '@libp2p/peer-id'
import { StarlingError } from '../../src/core/errors.ts'
import { allowListBytesMax } from '../../src/core/limits.ts'

/** Whom the user lets in, and whom never. All ids are peer ids as people write them. */
export interface AllowList {
  readonly members: ReadonlySet<string>
  /** Members whose invitations count. */
  readonly inviters: ReadonlySet<string>
  /** Whoever invited them. */
  readonly denied: ReadonlySet<string>
}

export const nobody: AllowList = { members: new Set(), inviters: new Set(), denied: new Set() }

/**
 * One peer a line: its id alone, `ID invites`, or `deny ID`; what follows a # is for people.
 * @param from - for the message
 * @throws STARLING_BAD_CONFIG naming the line
 */
export function parseAllowList(text: string, from: string): AllowList {
  const list = {
    members: new Set<string>(),
    inviters: new Set<string>(),
    denied: new Set<string>()
  }
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  for (const [index, line] of lines.entries()) {
    const words = line.replace(/#.*/, '').trim().split(/\s+/).filter(Boolean)
    if (words.length === 0) continue
    const [first = '', second] = words
    const denies = first === 'deny'
    const peer = denies ? second : first
    const rest = words.slice(denies ? 2 : 1)
    const invites = !denies && rest.length === 1 && rest[0] === 'invites'
    if (!isPeerId(peer) || (rest.length > 0 && !invites)) {
      throw new StarlingError(
        'STARLING_BAD_CONFIG',
        `${from}, line ${index + 1}: '${line.trim().slice(0, 80)}' should be a peer id ` +
          "('starling id' prints one), 'ID invites', or 'deny ID'"
      )
    }
    if (denies) list.denied.add(peer)
    else list.members.add(peer)
    if (invites) list.inviters.add(peer)
  }
  return list
}

function isPeerId(text: string | undefined): text is string {
  try {
    return text !== undefined && peerIdFromString(text).toString() === text
  } catch {
    return false
  }
}

/** @throws STARLING_BAD_CONFIG when there is no such file, or it is no allow list */
export async function readAllowList(path: string): Promise<AllowList> {
  let text: string
  try {
    const { size } = await stat(path)
    if (size > allowListBytesMax) throw new Error(`it has more than ${allowListBytesMax} bytes`)
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new StarlingError(
      'STARLING_BAD_CONFIG',
      `cannot read the allow list ${path}: ${(error as Error).message}`
    )
  }
  return parseAllowList(text, path)
}

/** Time between two looks at the file, in milliseconds: it may lie on a disk that tells nothing. */
const lookMs = 1_000

/**
 * Be told of the new list whenever the file changes. One that cannot be read changes nothing.
 * @returns stops watching
 */
export function watchAllowList(
  path: string,
  onChange: (list: AllowList) => void,
  onTrouble: (what: string) => void
): () => void {
  const file = resolve(path)
  const look = (): void => {
    readAllowList(file).then(onChange, (error: unknown) =>
      onTrouble(`${(error as Error).message}; going on with the list as it was`)
    )
  }
  watchFile(file, { interval: lookMs, persistent: false }, look)
  return () => unwatchFile(file, look)
}
