import type { Logger } from '../../peer/log.ts'
import { reasonOf } from '../../peer/reason.ts'
import { tell } from './exit.ts'

export interface Uncaught {
  /** A library's mistake: the process goes on. */
  readonly onSurvived: (reason: string) => void
  /** A mistake of ours, after which nothing can be relied on: save what there is, and end. */
  readonly onLost: (failure: unknown) => void
}

const libraryPattern = /[\\/]node_modules[\\/](@libp2p|libp2p)[\\/]/

/**
 * libp2p throws in timers of its own, where nobody can catch it: for one, when a stream closes while its
 * window is announced. Whoever closes connections at the right moment would end the process.
 */
export function surviveLibraries({ onSurvived, onLost }: Uncaught): void {
  const onFailure = (failure: unknown): void => {
    const [, thrownAt = ''] = (failure instanceof Error ? (failure.stack ?? '') : '').split(
      /\n\s+at /
    )
    if (libraryPattern.test(thrownAt)) onSurvived(reasonOf(failure))
    else onLost(failure)
  }
  process.on('uncaughtException', onFailure)
  process.on('unhandledRejection', onFailure)
}

/** For a process that ends by stopping something, within its own time. */
export function endByStopping(stop: () => Promise<void>, logger: Logger): Uncaught {
  return {
    onSurvived: (reason) => logger.error(`survived a mistake in libp2p: ${reason}`),
    onLost: (failure) => {
      const code = tell(failure)
      void stop().finally(() => process.exit(code))
    }
  }
}
