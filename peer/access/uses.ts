import { z } from 'zod'
import { countedCertificatesMax, invitationUsesMax, usesBytesMax } from '../../src/core/limits.ts'
import { readBounded, writeAtomically } from '../files.ts'

/** Certificates that let in a limited number of peers, by id: when they end, and who came with them. */
export type Uses = Map<string, { readonly notAfter: number; readonly subjects: Set<string> }>

const fileSchema = z.record(
  z.string().regex(/^[0-9a-f]{64}$/),
  z.strictObject({
    notAfter: z.int(),
    subjects: z.array(z.string().max(128)).max(invitationUsesMax)
  })
)

/**
 * Read what earlier lives counted, without what has ended.
 * @returns empty when there is no such file, or nobody can read it: then peers may come once more
 * @throws STARLING_HOME_UNUSABLE
 */
export async function readUses(path: string, nowMs: number): Promise<Uses> {
  const bytes = await readBounded(path, usesBytesMax)
  const uses: Uses = new Map()
  for (const [id, { notAfter, subjects }] of Object.entries(parse(bytes?.toString('utf8')))) {
    const isOver = notAfter < nowMs / 1000 - keptSeconds
    if (!isOver && uses.size < countedCertificatesMax) {
      uses.set(id, { notAfter, subjects: new Set(subjects) })
    }
  }
  return uses
}

/** Longer than any tolerance for clocks. */
const keptSeconds = 7 * 86_400

/** @throws STARLING_HOME_UNUSABLE */
export async function writeUses(path: string, uses: Uses): Promise<void> {
  const content = Object.fromEntries(
    [...uses].map(([id, { notAfter, subjects }]) => [id, { notAfter, subjects: [...subjects] }])
  )
  await writeAtomically(path, [Buffer.from(JSON.stringify(content) + '\n')])
}

function parse(text: string | undefined): z.infer<typeof fileSchema> {
  try {
    return fileSchema.parse(JSON.parse(text ?? '{}'))
  } catch {
    return {}
  }
}
