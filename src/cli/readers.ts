/** Whose work is worth finishing, or who has to stop others first, when nobody reads what they print. */
const outliving: ReadonlySet<string | undefined> = new Set(['up', 'relay', 'demo'])

/**
 * A pipe whose reader has gone (`starling sim list | head -1`) is no mistake: a command ends there, as
 * others do by SIGPIPE, which Node ignores.
 * @param command - the one that was asked for
 */
export function heedReaders(command: string | undefined): void {
  const onFailure = (failure: NodeJS.ErrnoException): void => {
    if (failure.code !== 'EPIPE') throw failure
    if (!outliving.has(command)) process.exit()
  }
  process.stdout.on('error', onFailure)
  process.stderr.on('error', onFailure)
}
