import type { Case } from './case.ts'
import { isWithin } from './case.ts'
import { hasTraded } from '../try.ts'
import { joinArguments, secondsSince, smallTask } from './swarm.ts'

const secondsMax = 20

export const coldStart: Case = {
  question: 'Two homes behind routers start from nothing: how long until both have traded a model?',
  async run(rig) {
    const helper = await rig.helper(1)
    const task = smallTask(rig)
    const homes = [await rig.home('one', 'cone'), await rig.home('other', 'cone')]
    const members = homes.map((home, index) =>
      rig.member(home, [helper], joinArguments(task, index))
    )
    const startMs = performance.now()
    await Promise.all(members.map((member) => member.start()))
    const readySeconds = secondsSince(startMs)
    const looks = members.map((member) => member.until(hasTraded, 3 * secondsMax * 1_000))
    const traded = (await Promise.all(looks)).every((look) => look !== undefined)
    const tradedSeconds = traded ? secondsSince(startMs) : null
    return { facts: { readySeconds, tradedSeconds }, pass: isWithin(tradedSeconds, secondsMax) }
  }
}
