import { parseArgs } from 'node:util'
import { Random } from '../../src/core/random.ts'
import { createLayout } from '../../src/learning/layout.ts'
import { createMergeRule, mergeRules, mergeSchema } from '../../src/learning/merge/rules.ts'

/**
 * What merging costs, against the least that could be done with the same bytes: copying them.
 * Interleaved, so that a busy machine slows both; medians, so that a pause counts once.
 */

const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: '4' },
    parameters: { type: 'string', default: '1000000' },
    repeats: { type: 'string', default: '21' },
    json: { type: 'boolean', default: false }
  }
})
const modelCount = Number(options.models)
const side = Math.round(Math.sqrt(Number(options.parameters)))

const layout = createLayout([
  {
    name: 'kernel',
    shape: [side, side],
    role: 'weight',
    initialiser: { kind: 'constant', value: 0 }
  },
  { name: 'bias', shape: [side], role: 'bias', initialiser: { kind: 'constant', value: 0 } }
])
const random = new Random('bench')
const models = Array.from({ length: modelCount }, (_, index) => {
  const stream = random.fork(index)
  const parameters = new Float32Array(layout.parameterCount)
  for (let i = 0; i < parameters.length; i++) parameters[i] = stream.next() - 0.5
  return { from: `peer-${index}`, parameters, weight: 1 + index }
})
const [own, ...others] = models
if (own === undefined) throw new Error('--models is at least 1')

const target = new Float32Array(modelCount * layout.parameterCount)
const contenders: Record<string, () => void> = {
  copy: () => {
    for (const [index, { parameters }] of models.entries()) {
      target.set(parameters, index * parameters.length)
    }
  }
}
for (const rule of Object.keys(mergeRules)) {
  const merge = createMergeRule(mergeSchema.parse({ rule }))
  contenders[rule] = () => void merge(own, others, layout)
}

const timesMs = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]))
const warmups = 3
for (let repeat = 0; repeat < warmups + Number(options.repeats); repeat++) {
  for (const [name, run] of Object.entries(contenders)) {
    const startMs = performance.now()
    run()
    if (repeat >= warmups) timesMs.get(name)?.push(performance.now() - startMs)
  }
}

const medianMs = (name: string) => {
  const sorted = [...(timesMs.get(name) ?? [])].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? NaN
}
const rows = Object.keys(contenders).map((name) => ({
  name,
  medianMs: Number(medianMs(name).toFixed(3)),
  timesCopy: Number((medianMs(name) / medianMs('copy')).toFixed(2))
}))
const report = {
  models: modelCount,
  parameters: layout.parameterCount,
  repeats: Number(options.repeats),
  rows
}

if (options.json) {
  console.log(JSON.stringify(report))
} else {
  console.log(
    `${report.models} models of ${report.parameters} parameters, median of ${report.repeats}`
  )
  for (const { name, medianMs, timesCopy } of rows) {
    console.log(
      `${name.padEnd(20)} ${medianMs.toFixed(2).padStart(8)} ms  ${timesCopy.toFixed(2).padStart(6)} x copying`
    )
  }
}
