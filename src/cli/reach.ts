import type { Status } from '../../peer/status.ts'
import { routerText } from './router.ts'

/** How others can reach a daemon, for people. */
export function reachFacts({
  reachability,
  reach
}: Pick<Status, 'reachability' | 'reach'>): Record<string, string> {
  return {
    reachability: `${reachability}: ${reach.explanation}`,
    ...(reach.joinNote === null ? {} : { 'join line': reach.joinNote }),
    ...(reach.remedy === null ? {} : { remedy: reach.remedy }),
    ...(reach.relays.length === 0 ? {} : { helpers: reach.relays.join(', ') }),
    ...(reach.gateways === null || reach.gateways.length === 0
      ? {}
      : { router: reach.gateways.map(routerText).join('; ') })
  }
}
