import { setTimeout as pause } from 'node:timers/promises'
import type { Case } from './case.ts'
import { isWithin } from './case.ts'
import type { Helper } from '../rig.ts'
import { allLinked, joinArguments, secondsUntil, smallTask, startLinkedSwarm } from './swarm.ts'

const downMs = 15_000
const placesSecondsMax = 60
const newcomerSecondsMax = 60

export const relayReturn: Case = {
  question: 'The helper dies and returns: do members take their places there, and can others join?',
  async run(rig) {
    const helper = await rig.helper(1)
    const task = smallTask(rig)
    const seats = await startLinkedSwarm({ rig, helpers: [helper], task, kinds: ['cone', 'cone'] })
    await helper.daemon.kill()
    await pause(downMs)
    await helper.daemon.start()
    const placesSeconds = await secondsUntil(() => placesAt(helper) >= 2, placesSecondsMax)

    const home = await rig.home('newcomer', 'eim')
    const member = rig.member(home, [helper], joinArguments(task, 9))
    const { peerId } = await member.start()
    const linkedSeconds = await allLinked([...seats, { home, member, peerId }], newcomerSecondsMax)
    return {
      facts: { placesSeconds, newcomerLinkedSeconds: linkedSeconds },
      pass: isWithin(placesSeconds, placesSecondsMax)
    }
  }
}

/** Reservations that it holds. */
function placesAt({ daemon }: Helper): number {
  const status = daemon.newest?.status as { reservations?: { held: number } } | undefined
  return status?.reservations?.held ?? 0
}
