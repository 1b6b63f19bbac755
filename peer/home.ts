import { homedir } from 'node:os'
import { mkdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { diskError, ensureDirectory, sweepTemporaries } from './files.ts'

/** Where everything of one daemon lives. Nothing outside is written to. */
export interface Home {
  readonly path: string
  /** Private key, mode 0600 (identity.ts). */
  readonly identity: string
  /** The peer id that belongs to the key, for people and for noticing that the key is gone. */
  readonly peerId: string
  /** What the user chose (config.ts). */
  readonly config: string
  /** Address and token of the running daemon's API, mode 0600 (control.ts). */
  readonly control: string
  /** Directory: one subdirectory a task (checkpoint.ts). */
  readonly checkpoints: string
  /** Directory: task manifests by CID (tasks.ts). */
  readonly tasks: string
  /** Directory: addresses of peers that were met. */
  readonly peers: string
  /** Directory: what lets us into private swarms, a file for each task (access/access.ts). */
  readonly invitations: string
  /** Who came with invitations that are for so many (access/uses.ts). */
  readonly admitted: string
  /** Directory: data sets that were downloaded. */
  readonly data: string
}

export function defaultHomePath(): string {
  return join(homedir(), '.starling')
}

/** The paths of a home, whether it exists or not. */
export function homeAt(path: string): Home {
  const root = resolve(path)
  return {
    path: root,
    identity: join(root, 'identity'),
    peerId: join(root, 'peer-id'),
    config: join(root, 'config.json'),
    control: join(root, 'control.json'),
    checkpoints: join(root, 'checkpoints'),
    tasks: join(root, 'tasks'),
    peers: join(root, 'peers'),
    invitations: join(root, 'invitations'),
    admitted: join(root, 'admitted.json'),
    data: join(root, 'data')
  }
}

/**
 * Make a home, or check the one that is there: directories are ours alone to write to.
 * @throws STARLING_HOME_UNUSABLE naming the path and what to do
 */
export async function openHome(path: string): Promise<Home> {
  const home = homeAt(path)
  try {
    await mkdir(dirname(home.path), { recursive: true })
  } catch (error) {
    throw diskError(error, `cannot make ${dirname(home.path)}`)
  }
  const { checkpoints, tasks, peers, invitations, data } = home
  for (const directory of [home.path, checkpoints, tasks, peers, invitations, data]) {
    await ensureDirectory(directory)
  }
  return home
}

/**
 * Remove what an earlier life left half written. Only with the lock (lock.ts) in hand.
 * Checkpoint directories sweep themselves when they are opened.
 * @returns how many files were removed
 */
export async function sweepHome(home: Home): Promise<number> {
  return (await sweepTemporaries(home.path)) + (await sweepTemporaries(home.tasks))
}
