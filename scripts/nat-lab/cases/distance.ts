import { allLinked, smallTask, startSwarm } from './swarm.ts'
import type { Case } from './case.ts'

const secondsMax = 30

export const distance: Case = {
  question: 'Homes a tenth of a second apart: do they meet as well?',
  delayMs: 25,
  async run(rig) {
    const helpers = [await rig.helper(1)]
    const task = smallTask(rig)
    const kinds = ['cone', 'eim', 'cgnat', 'reset'] as const
    const seats = await startSwarm({ rig, helpers, task, kinds })
    const linkedSeconds = await allLinked(seats, secondsMax)
    return { facts: { homes: seats.length, roundTripMs: 100, linkedSeconds }, pass: true }
  }
}
