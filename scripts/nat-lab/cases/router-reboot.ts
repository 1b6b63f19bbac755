import type { Case } from './case.ts'
import { isWithin } from './case.ts'
import { secondsToTrade, smallTask, startLinkedSwarm } from './swarm.ts'

const downMs = 10_000
const secondsMax = 120

export const routerReboot: Case = {
  question: 'A router restarts and has forgotten every flow: when do models flow again?',
  async run(rig) {
    const helpers = [await rig.helper(1)]
    const task = smallTask(rig)
    const seats = await startLinkedSwarm({ rig, helpers, task, kinds: ['cone', 'eim'] })
    await seats[0]?.home.reboot(downMs)
    const tradedSeconds = await secondsToTrade(
      seats.map(({ member }) => member),
      secondsMax
    )
    return {
      facts: { downSeconds: downMs / 1_000, tradedSeconds },
      pass: isWithin(tradedSeconds, secondsMax)
    }
  }
}
