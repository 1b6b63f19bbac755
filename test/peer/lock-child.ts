import { lockHome } from '../../peer/lock.ts'

// Locks the home given, says how that went, and holds it until standard input closes.
const home = process.argv[2] ?? ''
try {
  const lock = await lockHome(home)
  process.stdout.write('locked\n')
  process.stdin.resume()
  process.stdin.once('end', () => void lock.release())
} catch (error) {
  process.stdout.write(`${(error as { code: string }).code}\n`)
}
