import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { scratchOfFile, starling } from './starling.ts'

const scratch = scratchOfFile()

interface Diagnosis {
  readonly findings: { readonly name: string; readonly verdict: string; readonly what: string }[]
  readonly pass: boolean
}

describe('starling doctor', () => {
  it('finds a healthy machine, and says how fast each backend is', async () => {
    const { stdout, code } = await starling(['doctor', '--json', '--home', join(scratch(), 'home')])

    const { findings, pass } = JSON.parse(stdout) as Diagnosis
    expect({ code, pass }).toEqual({ code: 0, pass: true })
    const named = new Map(findings.map((finding) => [finding.name, finding]))
    expect(named.get('engine plan')?.what).toMatch(
      /WebAssembly with SIMD: .* ms a step .* GFLOP\/s/
    )
    expect(named.get('engine wasm')?.verdict).toBe('ok')
    expect(named.get('engine node')?.verdict).toBe('absent')
    for (const name of ['node', 'clock', 'home', 'disk', 'port', 'daemon']) {
      expect(named.get(name)?.verdict, name).toBe('ok')
    }
  })

  it('says that a home cannot be one, and ends with the code for the environment', async () => {
    const file = join(scratch(), 'a-file')
    writeFileSync(file, '')

    const { stdout, code } = await starling(['doctor', '--home', file])

    expect(code).toBe(3)
    expect(stdout).toMatch(/✗ home .*a-file/)
  })
})
