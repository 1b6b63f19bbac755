import type { LocalModel } from './local-model.ts'
import type { Neighbour } from './membership.ts'

/** Where the swarm is, and whether we keep up with it. */

export interface PaceOptions {
  readonly mode: 'gossip' | 'rounds' | 'modest'
  readonly roundsMax: number
}

/** The round that at least half of the neighbours have reached, by what they say. */
export function swarmRound(neighbours: readonly Neighbour[]): number {
  const rounds = neighbours.map(({ round }) => round).sort((a, b) => a - b)
  return rounds[Math.floor((rounds.length - 1) / 2)] ?? 0 // one liar among three moves nobody
}

/**
 * A synchronous round is worth nothing in the past: most neighbours are further than the next, or
 * done with all of them. Elsewhere nobody is ever behind.
 */
export function isBehind(
  { round }: LocalModel,
  neighbours: readonly Neighbour[],
  { mode, roundsMax }: PaceOptions
): boolean {
  if (mode !== 'rounds') return false
  const swarm = swarmRound(neighbours)
  return swarm > round + 1 || (swarm > round && swarm >= roundsMax)
}

/** Whose parameters are worth fetching before we train. */
export function peersAhead(
  model: LocalModel,
  neighbours: readonly Neighbour[],
  options: PaceOptions
): readonly Neighbour[] {
  if (model.age === 0) return neighbours.filter(({ age }) => age > 0)
  if (!isBehind(model, neighbours, options)) return []
  const swarm = swarmRound(neighbours)
  return neighbours.filter(({ round }) => round >= swarm)
}

/** When behind, go on with the round that comes next: the others reach it about when we do. */
export function jumpToSwarm(
  model: LocalModel,
  neighbours: readonly Neighbour[],
  options: PaceOptions
): void {
  if (!isBehind(model, neighbours, options)) return
  const swarm = swarmRound(neighbours)
  model.round = swarm >= options.roundsMax ? swarm : swarm + 1
}
