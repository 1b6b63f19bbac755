import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { buildKernels, kernelFiles } from './kernels.ts'

/** Compiles everything that ships into `dist`: nothing of an earlier build stays behind. */

const root = join(import.meta.dirname, '..')
rmSync(join(root, 'dist'), { recursive: true, force: true })
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
execFileSync(process.execPath, [tsc, '--project', join(root, 'tsconfig.build.json')], {
  stdio: 'inherit'
})
buildKernels()
for (const file of kernelFiles) {
  copyFileSync(file, join(root, 'dist/src/learning/engine', basename(file)))
}
chmodSync(join(root, 'dist/src/cli/bin.js'), 0o755)
