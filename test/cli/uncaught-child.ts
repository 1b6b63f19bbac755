import { surviveLibraries } from '../../src/cli/uncaught.ts'

/** Something is thrown in a timer, by a library or by us, as the argument says. */
const [thrower = ''] = process.argv.slice(2)
surviveLibraries({
  onSurvived: (reason) => process.stdout.write(`survived: ${reason}\n`),
  onLost: (failure) => {
    process.stdout.write(`lost: ${(failure as Error).message}\n`)
    process.exit(1)
  }
})
const failure = new Error('cannot write')
failure.stack = `Error: cannot write\n    at thrower (file:///x/${thrower}/stream.js:1:1)\n    at ours (file:///x/peer/body.ts:1:1)`
setTimeout(() => {
  throw failure
})
void Promise.reject(failure)
