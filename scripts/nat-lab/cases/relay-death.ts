import { setTimeout as pause } from 'node:timers/promises'
import type { Case } from './case.ts'
import { isWithin } from './case.ts'
import { secondsToTrade, smallTask, startLinkedSwarm } from './swarm.ts'

const watchSeconds = 30
const backSecondsMax = 30

export const relayDeath: Case = {
  question: 'The only helper dies: does anybody notice, and does a member that restarts come back?',
  async run(rig) {
    const helper = await rig.helper(1)
    const task = smallTask(rig)
    const kinds = ['cone', 'cone', 'public'] as const
    const seats = await startLinkedSwarm({ rig, helpers: [helper], task, kinds })
    const members = seats.map(({ member }) => member)
    const failedBefore = members.map(({ newest }) => newest?.status.exchanges.failed ?? 0)
    await helper.daemon.kill()
    await pause(watchSeconds * 1_000)
    const failed = members.map(({ newest }) => newest?.status.exchanges.failed ?? 0)
    const lost = failed.reduce((sum, count, index) => sum + count - (failedBefore[index] ?? 0), 0)
    const tradedSeconds = await secondsToTrade(members, 20)

    const [restarted] = members
    await restarted?.kill()
    const startMs = performance.now()
    await restarted?.start()
    const traded = await secondsToTrade([members[0], members[2]].filter(isThere), backSecondsMax)
    const backSeconds = traded === null ? null : Math.round((performance.now() - startMs) / 1_000)
    return {
      facts: { exchangesLost: lost, tradedSeconds, backSeconds },
      pass: lost === 0 && tradedSeconds !== null && isWithin(backSeconds, backSecondsMax)
    }
  }
}

function isThere<T>(value: T | undefined): value is T {
  return value !== undefined
}
