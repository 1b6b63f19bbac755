import { addressChange } from './address-change.ts'
import { bulk } from './bulk.ts'
import type { Case, CaseResult } from './case.ts'
import { coldStart } from './cold-start.ts'
import { distance } from './distance.ts'
import { limitedRelay } from './limited-relay.ts'
import { mixedSwarm } from './mixed-swarm.ts'
import { relayDeath } from './relay-death.ts'
import { relayReturn } from './relay-return.ts'
import { routerReboot } from './router-reboot.ts'
import { sleep } from './sleep.ts'
import { isStarlingError } from '../../../src/core/errors.ts'
import { Lab } from '../lab.ts'
import { Rig } from '../rig.ts'

export const cases = {
  'cold-start': coldStart,
  'address-change': addressChange,
  'router-reboot': routerReboot,
  'relay-death': relayDeath,
  'relay-return': relayReturn,
  sleep,
  'limited-relay': limitedRelay,
  distance,
  bulk,
  'mixed-swarm': mixedSwarm
} as const satisfies Record<string, Case>

export type CaseName = keyof typeof cases

/** In a lab of its own. What keeps a case from its end is its result. */
export async function runCase(
  name: CaseName,
  onProgress: (line: string) => void
): Promise<CaseResult> {
  const chosen: Case = cases[name]
  const { question, delayMs = 0 } = chosen
  const lab = new Lab()
  try {
    const outcome = await chosen.run(new Rig(lab, { delayMs }), (line) =>
      onProgress(`${name}: ${line}`)
    )
    return { name, question, ...outcome }
  } catch (error) {
    if (!isStarlingError(error)) throw error
    return { name, question, facts: { trouble: error.message }, pass: false }
  } finally {
    lab.close()
  }
}
