import { setTimeout as pause } from 'node:timers/promises'
import { since, traffic } from '../traffic.ts'
import { pathBetween } from '../try.ts'
import type { Case } from './case.ts'
import { smallTask, startSwarm } from './swarm.ts'

/** Then whatever is tried at the beginning has been tried. */
const settleMs = 60_000
const watchMs = 120_000
/** Of one home, repeated packets included: a dial that is tried every few seconds is a storm. */
const dialsPerMinuteMax = 20

export const limitedRelay: Case = {
  question: 'Two that can only meet at a helper that carries no models: do they keep the peace?',
  async run(rig) {
    const helper = await rig.helper(1)
    const task = smallTask(rig)
    const kinds = ['symmetric', 'symmetric'] as const
    const [one, other] = await startSwarm({ rig, helpers: [helper], task, kinds })
    if (one === undefined || other === undefined) throw new Error('two are needed')
    await pause(settleMs)
    const hosts = [helper.host, one.home.host, other.home.host]
    const before = hosts.map(traffic)
    await pause(watchMs)
    const [atHelper, ...atHomes] = hosts.map((host, index) => {
      const then = before[index]
      return then === undefined ? traffic(host) : since(then, traffic(host))
    })
    const dials = Math.max(...atHomes.map(({ dials }) => dials))
    const facts = {
      connected: pathBetween(one, other),
      modelBytesThroughLimitedRelay: traffic(helper.host).bulkBytesIn,
      dialsPerMinute: Math.round(dials / (watchMs / 60_000)),
      helperBytesPerMinute: Math.round((atHelper?.bytesIn ?? 0) / (watchMs / 60_000)),
      reachability: one.member.newest?.status.reachability ?? null
    }
    const pass =
      facts.modelBytesThroughLimitedRelay === 0 && facts.dialsPerMinute <= dialsPerMinuteMax
    return { facts, pass }
  }
}
