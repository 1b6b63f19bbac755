import type { MergedEvent } from '../../protocols/participant-io.ts'
import type { BodyEvent } from '../../peer/body.ts'
import type { Logger } from '../../peer/log.ts'
import { percent } from './print.ts'

/** What happens in a daemon, in words. */
export function logEvent(logger: Logger, event: BodyEvent): void {
  switch (event.kind) {
    case 'round-finished':
      return logger.debug(`round ${event.round} finished`)
    case 'trained':
      return logger.info(`round ${event.round}: loss ${event.loss.toFixed(4)}`)
    case 'evaluated':
      return logger.info(
        `round ${event.round}: accuracy ${percent(event.evaluation.accuracy)} on held-out data`
      )
    case 'merged':
      return logger.info(mergedLine(event))
    case 'exchange-failed':
      return logger.info(`round ${event.round}: no model in time from ${event.peers.join(', ')}`)
    case 'task-adopted':
      return logger.info(`working on task ${event.task}`)
    case 'caught-up':
      return logger.info(`got the newest model (round ${event.round}) from ${event.from}`)
    case 'called':
      return logger.info(`called to round ${event.round}`)
    case 'peer-joined':
      return logger.info(`peer ${event.peer} is here`)
    case 'peer-left':
      return logger.info(`peer ${event.peer} is gone`)
    case 'peer-refused':
      return logger.warn(
        `peer ${event.peer} works on another task: ours is ${event.ours}, theirs ${event.theirs}`
      )
    case 'rejected':
      return logger.debug(`a message from ${event.peer} was rejected: ${event.reason}`)
    case 'banned':
      return logger.warn(`peer ${event.peer} is banned for ${Math.round(event.forMs / 60_000)} min`)
    case 'rolled-back':
      return logger.warn(
        `round ${event.round}: the loss was not finite, went back to the last good model`
      )
    case 'saved':
      return logger.debug(`checkpoint of round ${event.round} saved`)
    case 'trouble':
      return logger.warn(event.what)
    case 'finished':
      return logger.info(`all ${event.round} rounds done; still answering peers`)
    case 'bootstrap-reached':
      return logger.info(`reached ${event.address}`)
    case 'bootstrap-unreachable':
      return logger.warn(
        `cannot reach ${event.address}: ${event.reason}; trying again in ${Math.round(event.retryInMs / 1000)} s`
      )
    case 'not-admitted':
      return logger.warn(
        event.by === 'us'
          ? `peer ${event.peer} is not let in: ${event.detail}`
          : `peer ${event.peer} does not let us in: ${event.detail}`
      )
    case 'listening':
      return logger.debug(`listening on ${event.addresses.join(', ')}`)
    case 'peer-incompatible':
      return logger.warn(
        `peer ${event.peer} runs another version of starling (${event.theirs}, ours is ${event.ours}): ` +
          'update the older one'
      )
    case 'reachability':
      return logger.info(
        `reachability: ${event.reachability}: ${event.explanation}` +
          (event.remedy === null ? '' : `; to be reached better, ${event.remedy}`)
      )
    case 'join-line':
      return logger.info(`join line: starling up --join ${event.address} (${event.note})`)
    case 'connection':
      return logger.info(
        `peer ${event.peer} is connected: ${event.path}${event.limited ? ', limited' : ''} ` +
          `(${event.by}), ${event.afterMs} ms after we knew of it`
      )
    case 'path-moved':
      return logger.info(
        `our address or our router has changed: ${event.dead} connection(s) led nowhere any more`
      )
    case 'upgrade-failed':
      return logger.info(`peer ${event.peer} stays behind a relay for now: ${event.reason}`)
    case 'send-failed':
      return logger.debug(`could not send ${event.what} to ${event.peer}: ${event.reason}`)
    case 'peer-slow':
      return logger.info(`peer ${event.peer} is too slow and was cut off`)
    case 'bug':
      return logger.error(`a mistake in starling itself, in ${event.where}: ${event.reason}`)
  }
}

/** What came of a merge, with all that is out of the ordinary. */
function mergedLine({ round, with: peers, rejected, ...event }: MergedEvent): string {
  const counted = peers.length - rejected.length
  const what = event.rolledBack
    ? `a merge with ${counted} peer(s) made us worse and was taken back`
    : `averaged with ${counted} peer(s)`
  const notes = [
    ...(event.realigned ? ['our units changed places to match an older model'] : []),
    ...rejected.map(({ from, reason }) => `left out ${from}: ${reason}`),
    ...(event.degraded === null ? [] : [event.degraded])
  ]
  return [`round ${round}: ${what}`, ...notes].join('; ')
}
