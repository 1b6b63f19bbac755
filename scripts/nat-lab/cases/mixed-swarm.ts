import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { StarlingError } from '../../../src/core/errors.ts'
import { refreshKernels } from '../../kernels.ts'
import type { HomeKind } from '../homes.ts'
import type { Rig } from '../rig.ts'
import type { Case } from './case.ts'

/** Twelve homes as they are found: most behind a cone, some behind worse, some open. */
const mixed: readonly HomeKind[] = [
  ...(['public', 'upnp', 'cone', 'cone', 'cone', 'eim'] as const),
  ...(['full-cone', 'cgnat', 'firewall', 'symmetric', 'cgnat-symmetric', 'ipv6-firewall'] as const)
]
const open = mixed.map((): HomeKind => 'public')

/** So many that the ones who started first do most of them together with the last. */
const rounds = 60
/** A start is hard work; more at once would only wait for each other. */
const startedAtOnce = 3
const minutesMax = 10
/** Of accuracy. */
const differenceMax = 0.015

export const mixedSwarm: Case = {
  question: 'Does a swarm behind twelve routers learn as well as one without any?',
  async run(rig, onProgress) {
    refreshKernels()
    const directory = join(process.env.STARLING_DATA ?? '', 'fashion-mnist')
    if (!existsSync(directory)) {
      throw new StarlingError(
        'STARLING_BAD_DATA',
        `the case mixed-swarm needs Fashion-MNIST in $STARLING_DATA/fashion-mnist, not ${directory}`
      )
    }
    const task = rig.task('fashion', [
      ...['--data', `idx:${directory}?limit=100`, '--hidden', '64', '--learning-rate', '0.05'],
      ...['--batch-size', '32', '--local-steps', '4', '--exchange', 'gossip', '--interval', '1']
    ])
    const without = await accuracyOf(rig, task, directory, 'open', open, onProgress)
    const behind = await accuracyOf(rig, task, directory, 'mixed', mixed, onProgress)
    const difference = without.mean - behind.mean
    return {
      facts: {
        openAccuracy: without.mean,
        mixedAccuracy: behind.mean,
        mixedLeast: behind.least,
        difference
      },
      pass: difference <= differenceMax
    }
  }
}

async function accuracyOf(
  rig: Rig,
  task: string,
  directory: string,
  name: string,
  kinds: readonly HomeKind[],
  onProgress: (line: string) => void
): Promise<{ mean: number; least: number }> {
  const helper = await rig.helper(name === 'open' ? 1 : 2)
  const members = []
  for (const [index, kind] of kinds.entries()) {
    const home = await rig.home(`${name}${index + 1}`, kind)
    const data = `idx:${directory}?limit=6000&test=1000&shard=${index}/${kinds.length}`
    members.push(
      rig.member(
        home,
        [helper],
        [
          ...['--task', task, '--data', data, '--rounds', String(rounds)],
          ...['--evaluate-every', String(rounds), '--wait-for', '2', '--wait-seconds', '60']
        ]
      )
    )
  }
  for (let first = 0; first < members.length; first += startedAtOnce) {
    const some = members.slice(first, first + startedAtOnce)
    await Promise.all(some.map((member) => member.start()))
  }
  const looks = await Promise.all(
    members.map((member) =>
      member.until(({ status }) => status.evaluatedRound === rounds, minutesMax * 60_000)
    )
  )
  const accuracies = looks.map((look) => look?.status.accuracy ?? 0)
  onProgress(`${name}: ${accuracies.map((accuracy) => accuracy.toFixed(3)).join(' ')}`)
  await Promise.all([...members, helper.daemon].map((member) => member.kill()))
  return {
    mean: accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / accuracies.length,
    least: Math.min(...accuracies)
  }
}
