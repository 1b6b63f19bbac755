import { StarlingError } from '../../src/core/errors.ts'
import type { Scenario } from '../scenario.ts'

/** What is added to the network that real nodes have. */
const networks: readonly string[] = [
  'latencyMs',
  'jitterMs',
  'bandwidthMbps',
  'queueBytesMax',
  'loss',
  'detectionMs'
]

/** What needs bytes that no node sends, or other peers' keys. */
const simulated: readonly string[] = ['garbage', 'contacts', 'records']

/** Each holds a model and a node: above this many a process has no memory for them. A guess. */
const peersMax = 500

/**
 * A scenario may ask for what only a simulated world can do.
 * @throws STARLING_BAD_SCENARIO naming the first such thing
 */
export function refuseWhatCannotLive(scenario: Scenario): void {
  const refuse = (path: string, what: string): never => {
    throw new StarlingError(
      'STARLING_BAD_SCENARIO',
      `${path}: ${what} is only for simulated worlds; leave it out, or use 'starling sim run'`
    )
  }
  for (const [index, { kind }] of scenario.adversaries.entries()) {
    if (simulated.includes(kind)) refuse(`adversaries.${index}.kind`, kind)
  }
  for (const [index, { kind }] of scenario.faults.entries()) {
    if (kind === 'degrade' || kind === 'relay-loss') refuse(`faults.${index}.kind`, kind)
  }
  const { kind: topology } = scenario.topology
  if (topology === 'sampled' || topology === 'one-peer-exponential') {
    refuse('topology.kind', topology)
  }
  for (const [key, value] of Object.entries(scenario.network)) {
    if (value !== undefined && !networks.includes(key)) refuse(`network.${key}`, key)
  }
  const { bandwidthMbps } = scenario.network
  if (typeof bandwidthMbps === 'object' && 'downMbps' in bandwidthMbps) {
    refuse('network.bandwidthMbps.downMbps', 'a bounded downlink')
  }
  if (scenario.peers > peersMax) {
    refuse('peers', `a swarm of ${scenario.peers}, more than ${peersMax},`)
  }
}
