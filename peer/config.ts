import { z } from 'zod'
import { multiaddr } from '@multiformats/multiaddr'
import { StarlingError } from '../src/core/errors.ts'
import { explain } from '../src/core/explain.ts'
import { addressLengthMax, configBytesMax } from '../src/core/limits.ts'
import { backendNames } from '../src/learning/engine/backend-names.ts'
import { readBounded, writeAtomically } from './files.ts'

/** What the user may choose for a home, in `config.json`. Flags and the environment come before it. */

const address = z
  .string()
  .max(addressLengthMax)
  .refine(isMultiaddr, 'should be a multiaddr such as /ip4/203.0.113.5/tcp/4001')

const addresses = z.array(address).max(64)
const path = z.string().min(1).max(4096)
const port = z.int().min(0).max(65_535)

export const configSchema = z.strictObject({
  /** Multiaddrs, each with a /p2p/ id, of peers to begin with. */
  bootstrap: addresses.optional(),
  /** Multiaddrs to listen on; none for all interfaces at `port`. */
  listen: addresses.optional(),
  /** TCP port to listen on; 0 for any free one. */
  port: port.optional(),
  /** Address that the rest of the world knows this machine by, when it cannot find out. */
  publicIp: z.union([z.ipv4(), z.ipv6()]).optional(),
  /** Let in only who is invited, or in the allow list. */
  private: z.boolean().optional(),
  /** Path of an allow list: let in only those. */
  allow: path.optional(),
  /** Path of a swarm key: talk only to who has the same. */
  swarmKey: path.optional(),
  /** Find peers on the local network (multicast DNS). */
  mdns: z.boolean().optional(),
  /** Punch by WebRTC where TCP does not get through, if `@libp2p/webrtc` is installed. */
  webrtc: z.boolean().optional(),
  /** CID of the task to work on. */
  task: z.string().max(128).optional(),
  /** Data SPEC to train on. */
  data: z.string().min(1).max(4096).optional(),
  /** Which code computes; `auto` takes the fastest that works here. */
  backend: z.enum(['auto', ...backendNames]).optional(),
  /** Let own kernels round as this machine likes best: faster, not the same bits everywhere. */
  fastMath: z.boolean().optional(),
  /** Port of the control API on 127.0.0.1; 0 for any free one. */
  controlPort: port.optional(),
  logLevel: z.enum(['debug', 'info', 'warn', 'error', 'silent']).optional(),
  logFormat: z.enum(['text', 'json']).optional()
})

/** As the file says it: only what the user wrote. */
export type Config = z.infer<typeof configSchema>

export const configDefaults = {
  bootstrap: [],
  listen: [],
  port: 0,
  mdns: true,
  webrtc: false,
  data: 'glyphs',
  backend: 'auto',
  fastMath: false,
  controlPort: 0,
  logLevel: 'info',
  logFormat: 'text'
} as const satisfies Config

/**
 * Read a home's config; empty when there is no file.
 * @throws STARLING_BAD_CONFIG naming the key, the nearest known key, and what is allowed
 */
export async function readConfig(path: string): Promise<Config> {
  const bytes = await readBounded(path, configBytesMax)
  if (bytes === undefined) return {}
  let content: unknown
  try {
    content = JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new StarlingError(
      'STARLING_BAD_CONFIG',
      `${path} is not JSON: ${(error as Error).message}`
    )
  }
  return checkConfig(content, path)
}

/**
 * @param from - where the config came from, for the message
 * @throws STARLING_BAD_CONFIG
 */
export function checkConfig(content: unknown, from: string): Config {
  const parsed = configSchema.safeParse(content)
  if (parsed.success) return parsed.data
  const troubles = explain(configSchema, parsed.error, content).map((line) => `  ${line}`)
  throw new StarlingError('STARLING_BAD_CONFIG', `${from} is not valid:\n${troubles.join('\n')}`)
}

/** @throws STARLING_BAD_CONFIG before anything is written */
export async function writeConfig(path: string, config: Config): Promise<void> {
  const content = JSON.stringify(checkConfig(config, path), null, 2)
  await writeAtomically(path, [Buffer.from(content + '\n')])
}

function isMultiaddr(text: string): boolean {
  try {
    multiaddr(text)
    return true
  } catch {
    return false
  }
}
