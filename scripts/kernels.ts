import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Compiles the engine's kernels (src/learning/engine/assembly, AssemblyScript) beside the code that
 * loads them: plain SIMD, whose results are the same on every machine, and relaxed SIMD, which is
 * faster where one rounding may be left out.
 */

const root = join(import.meta.dirname, '..')
const engine = join(root, 'src/learning/engine')
const sources = join(engine, 'assembly')
// As a command: its types would change those of the language's own arrays for all of our code.
const asc = join(root, 'node_modules/assemblyscript/bin/asc.js')

const outputs = [
  { file: join(engine, 'kernels.wasm'), features: [] },
  { file: join(engine, 'kernels-relaxed.wasm'), features: ['--enable', 'relaxed-simd'] }
]

const compilerOptions = [
  ...['-O3', '--noAssert', '--runtime', 'stub', '--enable', 'simd'],
  // The memory belongs to the engine; kernels keep nothing of their own in it.
  ...['--importMemory', '--noExportMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--use', 'abort='],
  // Helpers that take vectors are exported from file to file, not to the host.
  ...['--disableWarning', '112']
]

export const kernelFiles: readonly string[] = outputs.map(({ file }) => file)

/** @throws Error when a kernel does not compile; the compiler has said why on standard error */
export function buildKernels(): void {
  for (const { file, features } of outputs) {
    const options = [join(sources, 'index.ts'), '--outFile', file, ...features, ...compilerOptions]
    execFileSync(process.execPath, [asc, ...options], { stdio: 'inherit' })
  }
}

/** Compile what is missing, or older than its sources. */
export function refreshKernels(): void {
  const files = readdirSync(sources).map((name) => join(sources, name))
  const newest = Math.max(...files.map(modifiedMs))
  const isStale = (file: string): boolean => !existsSync(file) || modifiedMs(file) < newest
  if (kernelFiles.some(isStale)) buildKernels()
}

function modifiedMs(file: string): number {
  return statSync(file).mtimeMs
}
