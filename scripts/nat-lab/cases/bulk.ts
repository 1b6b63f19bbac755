import { refreshKernels } from '../../kernels.ts'
import type { HomeKind } from '../homes.ts'
import type { Helper, Rig } from '../rig.ts'
import { Speedometer } from '../traffic.ts'
import { pathBetween } from '../try.ts'
import type { Case } from './case.ts'
import { allLinked, joinArguments, secondsToTrade } from './swarm.ts'

/** Models seen go by, each way. */
const trades = 6
const ratioMin = 0.8

export const bulk: Case = {
  question: 'Is a punched connection as fast as one that was simply dialed?',
  async run(rig, onProgress) {
    refreshKernels()
    const helper = await rig.helper(1)
    // 15 MB.
    const task = rig.task('large', [
      ...['--hidden', '2048,1024', '--batch-size', '4', '--local-steps', '1'],
      ...['--exchange', 'gossip', '--interval', '1']
    ])
    const speeds = { dialed: 0, punched: 0 }
    // Twice in turns: this machine may be busier at one time than at another.
    for (const turn of ['1', '2']) {
      for (const [how, kind] of [
        ['dialed', 'public'],
        ['punched', 'cone']
      ] as const) {
        const { path, speed } = await speedBetween(rig, helper, task, kind, turn)
        onProgress(`${how} (${path}): ${speed.toFixed(0)} MB/s`)
        speeds[how] = Math.max(speeds[how], speed)
      }
    }
    const ratio = speeds.punched / speeds.dialed
    return { facts: { ...speeds, ratio }, pass: ratio >= ratioMin }
  }
}

async function speedBetween(rig: Rig, helper: Helper, task: string, kind: HomeKind, turn: string) {
  const homes = [await rig.home(`a${kind}${turn}`, kind), await rig.home(`b${kind}${turn}`, kind)]
  const seats = []
  for (const [index, home] of homes.entries()) {
    const member = rig.member(home, [helper], joinArguments(task, index))
    const { peerId } = await member.start()
    seats.push({ home, member, peerId })
  }
  await allLinked(seats, 60)
  const [one, other] = seats
  const members = seats.map(({ member }) => member)
  const meters = members.map(({ pid }) => new Speedometer(pid))
  for (let trade = 0; trade < trades; trade++) await secondsToTrade(members, 20)
  const path = one && other && pathBetween(one, other)
  for (const meter of meters) meter.stop()
  await Promise.all(members.map((member) => member.kill()))
  return { path, speed: Math.max(...meters.map(({ megabytesPerSecond }) => megabytesPerSecond)) }
}
