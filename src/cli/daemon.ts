import { isStarlingError } from '../core/errors.ts'
import { ControlClient } from '../../peer/control-client.ts'
import type { Home } from '../../peer/home.ts'

/** The daemon of a home, for commands that do not need one but tell it when it is there. */

export async function isRunning(home: Home): Promise<boolean> {
  try {
    await (await ControlClient.open(home)).status()
    return true
  } catch (error) {
    if (isStarlingError(error) && error.code === 'STARLING_NOT_RUNNING') return false
    throw error
  }
}

export async function tellDaemon(
  home: Home,
  action: 'add' | 'remove',
  address: string
): Promise<void> {
  await (await ControlClient.open(home)).bootstrap(action, address)
}
