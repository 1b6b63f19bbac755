import { setTimeout as pause } from 'node:timers/promises'
import type { Case } from './case.ts'
import { isWithin } from './case.ts'
import { secondsToTrade, smallTask, startLinkedSwarm } from './swarm.ts'

const asleepMs = 60_000
const secondsMax = 30

export const sleep: Case = {
  question: 'A laptop sleeps for a minute: when does it trade again?',
  async run(rig) {
    const helpers = [await rig.helper(1)]
    const task = smallTask(rig)
    const seats = await startLinkedSwarm({ rig, helpers, task, kinds: ['cone', 'eim'] })
    const members = seats.map(({ member }) => member)
    members[0]?.freeze()
    await pause(asleepMs)
    members[0]?.thaw()
    const tradedSeconds = await secondsToTrade(members, secondsMax)
    return {
      facts: { asleepSeconds: asleepMs / 1_000, tradedSeconds },
      pass: isWithin(tradedSeconds, secondsMax)
    }
  }
}
