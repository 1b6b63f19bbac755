import type { Case } from './case.ts'
import { isWithin } from './case.ts'
import { isLinked, secondsToTrade, secondsUntil, smallTask, startLinkedSwarm } from './swarm.ts'

/** A dead connection is found out within 20 s by asking its peer another way (peer/network/pulse.ts). */
const secondsMax = 40

export const addressChange: Case = {
  question: 'A provider gives a home another address: when do models flow again?',
  async run(rig) {
    const helpers = [await rig.helper(1)]
    const task = smallTask(rig)
    const seats = await startLinkedSwarm({ rig, helpers, task, kinds: ['cone', 'cone'] })
    const [one, other] = seats
    if (one === undefined || other === undefined) throw new Error('two are needed')
    one.home.move()
    const linkedSeconds = await secondsUntil(() => isLinked(one, other), secondsMax)
    const tradedSeconds = await secondsToTrade([one.member, other.member], 20)
    return {
      facts: { linkedSeconds, tradedSeconds },
      pass: isWithin(linkedSeconds, secondsMax) && tradedSeconds !== null
    }
  }
}
