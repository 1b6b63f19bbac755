import { readdirSync } from 'node:fs'
import { Random } from '../../../src/core/random.ts'
import { sampleSize, type DataSchema, type Samples } from '../../../src/learning/data/dataset.ts'
import type { LayerSpec } from '../../../src/learning/layers/layers.ts'
import type { LossKind } from '../../../src/learning/training.ts'

/** A model of our own layers that every engine computes alike. */
export interface LayerCase {
  readonly layers: LayerSpec[]
  readonly data: DataSchema
  /** By default softmax-cross-entropy. */
  readonly loss?: LossKind
  /** Samples in a batch; by default 5, which no vector divides. */
  readonly count?: number
}

/** All files in `cases/` but those that draw shapes: each exports tables of cases. */
export async function allLayerCases(): Promise<[name: string, layerCase: LayerCase][]> {
  const folder = new URL('cases/', import.meta.url)
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('-shapes.ts'))
    .sort()
  const tables = await Promise.all(
    files.map((file) => import(new URL(file, folder).href) as Promise<object>)
  )
  return tables
    .flatMap((table) => Object.values(table) as Record<string, LayerCase>[])
    .flatMap((cases) => Object.entries(cases))
}

/** Features around zero, or, for models that begin with an embedding, words that it knows. */
export function batchOf({ layers, data, count = 5 }: LayerCase): Samples {
  const random = new Random('batch')
  const first: { kind?: string; vocabulary?: number } = layers[0] ?? {}
  const words = first.kind === 'embedding' ? first.vocabulary : undefined
  return {
    features: Float32Array.from({ length: count * sampleSize(data) }, () =>
      words === undefined ? 2 * random.next() - 1 : random.integer(words)
    ),
    labels: Uint16Array.from({ length: count * (data.positions ?? 1) }, () =>
      random.integer(data.classes)
    ),
    count
  }
}
