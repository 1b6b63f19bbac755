import { join } from 'node:path'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { invitationBytesMax } from '../../src/core/limits.ts'
import { readBounded, writeAtomically } from '../files.ts'
import type { Home } from '../home.ts'
import { peerIdOf } from '../identity.ts'
import { nobody, readAllowList, watchAllowList } from './allow-list.ts'
import type { Chain } from './certificate.ts'
import { Gate, type Mode } from './gate.ts'
import { accept, readInvitation, writeInvitation, type Invitation } from './invitation.ts'
import { readSwarmKey } from './swarm-key.ts'
import { readUses, writeUses } from './uses.ts'

/** Who may take part, as the user says it. */
export interface AccessOptions {
  /** Let in only who has an invitation, or is in the allow list. An invitation of our own says so, too. */
  readonly isPrivate: boolean
  /** Path of an allow list; null for none. */
  readonly allow: string | null
  /** Path of a swarm key; null for none. */
  readonly swarmKey: string | null
  /** What lets us in; null for the one that the home has for this task, if any. */
  readonly invitation: Invitation | null
}

export interface Access {
  readonly gate: Gate
  readonly swarmKey: Uint8Array | undefined
  /** Follow the allow list. @returns stops */
  watch(onChange: () => void): () => void
}

export interface AccessComponents {
  readonly home: Home
  readonly key: Ed25519PrivateKey
  /** CID of the task that we will work on; null while nobody knows. */
  readonly task: string | null
  /** Peers that the user told us to connect to. */
  readonly helpers: readonly string[]
  readonly onTrouble: (what: string) => void
}

/**
 * Read all files that say who may take part.
 * @throws STARLING_BAD_CONFIG, STARLING_BAD_SWARM_KEY, STARLING_BAD_INVITATION, STARLING_HOME_UNUSABLE
 */
export async function openAccess(
  options: AccessOptions,
  { home, key, task, helpers, onTrouble }: AccessComponents
): Promise<Access> {
  const self = peerIdOf(key)
  const chain = await ourChain(options.invitation, home, self, task)
  const path = options.allow
  const allow = path === null ? nobody : await readAllowList(path)
  const uses = await readUses(home.admitted, Date.now())
  let writing = Promise.resolve()
  const gate = new Gate({
    ...{ self, task, allow, chain, helpers, uses },
    mode: modeOf(options, chain),
    onUsed: () => {
      writing = writing
        .then(() => writeUses(home.admitted, uses))
        .catch((error: unknown) => onTrouble(`cannot remember who came: ${String(error)}`))
    }
  })
  return {
    gate,
    swarmKey: options.swarmKey === null ? undefined : await readSwarmKey(options.swarmKey),
    watch(onChange) {
      if (path === null) return () => undefined
      const change = (list: typeof allow): void => {
        gate.allow = list
        onChange()
      }
      return watchAllowList(path, change, onTrouble)
    }
  }
}

function modeOf({ isPrivate, allow }: AccessOptions, chain: Chain | undefined): Mode {
  if (isPrivate || chain !== undefined) return 'invited'
  return allow === null ? 'open' : 'listed'
}

/** What lets us in, made out to us: a new one is kept for the next life. */
async function ourChain(
  invitation: Invitation | null,
  home: Home,
  self: string,
  task: string | null
): Promise<Chain | undefined> {
  if (invitation === null) return keptChain(home, self, task)
  const chain = await accept(invitation, self, Date.now())
  const path = pathOf(home, chain[0]?.certificate.task ?? '')
  await writeAtomically(path, [Buffer.from(writeInvitation({ chain }))])
  return chain
}

/**
 * The invitation that a home has for a task.
 * @throws STARLING_BAD_INVITATION when it has run out, or is damaged
 */
export async function keptChain(
  home: Home,
  self: string,
  task: string | null
): Promise<Chain | undefined> {
  if (task === null) return undefined
  const bytes = await readBounded(pathOf(home, task), invitationBytesMax)
  if (bytes === undefined) return undefined
  return accept(readInvitation(bytes.toString('latin1').trim()), self, Date.now())
}

function pathOf(home: Home, task: string): string {
  return join(home.invitations, task)
}
