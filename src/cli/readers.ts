/** Those whose work is worth finishing when nobody reads what they print: results, or daemons to stop. */
const outliving: ReadonlySet<string | undefined> = new Set(['up', 'relay', 'demo', 'sim'])

/**
 * A pipe whose reader has gone (`starling task list | head -1`) is no mistake: a command ends there, as
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
