import { parsePartition } from '../../learning/data/partition.ts'
import { parseDataSpec } from '../../learning/data/spec.ts'

/** What a user says about the data of a demo; what is left out is usual for such data. */
export interface ShardOptions {
  readonly peers: number
  readonly data: string
  readonly partition?: string
  readonly samples?: number
  readonly testSamples?: number
  readonly seed: number
}

export interface Shards {
  readonly partition: string
  /** Training samples of each peer. */
  readonly samples: number
  /** Data SPEC of each peer. */
  readonly specs: readonly string[]
}

/** So little that a demo is over in minutes, and that nobody learns much alone. */
const usual = { partition: 'dirichlet:0.3', samples: 300, testSamples: 2_000, context: {} }
/** Windows of text have no class to be shared out by, and a label at each of their positions. */
const usualOfText = { partition: 'iid', samples: 100, testSamples: 50, context: { context: 64 } }

/**
 * Share a demo's data out.
 * @throws STARLING_BAD_ARGUMENT when the data SPEC or the partition is not valid
 */
export function shareOut(options: ShardOptions): Shards {
  const { source, options: given } = parseDataSpec(options.data)
  const defaults = source.kind === 'text' ? usualOfText : usual
  const { partition = defaults.partition, samples = defaults.samples } = options
  const { testSamples = defaults.testSamples } = options
  parsePartition(partition)
  const set: Record<string, string | number> = {
    partition,
    samples,
    ...(given.seed === 0 ? { seed: options.seed } : {}),
    ...(given.test === undefined ? { test: testSamples } : {}),
    ...(given.context === undefined ? defaults.context : {})
  }
  const specs = Array.from({ length: options.peers }, (_, index) => {
    const extra = Object.entries({ ...set, shard: `${index}/${options.peers}` })
    const query = extra.map(([key, value]) => `${key}=${value}`).join('&')
    return `${options.data}${options.data.includes('?') ? '&' : '?'}${query}`
  })
  return { partition, samples, specs }
}
