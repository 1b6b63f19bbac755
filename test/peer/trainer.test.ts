import { beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { TrainerSetup } from '../../peer/trainer-messages.ts'
import { TrainerWorker, type TrainerOptions } from '../../peer/trainer.ts'
import { sha256Hex } from '../../src/core/digest.ts'
import { Random } from '../../src/core/random.ts'
import { loadDataset } from '../../src/learning/data/spec.ts'
import { createEngine } from '../../src/learning/engine/select.ts'
import { initialise } from '../../src/learning/layout.ts'
import { describeModel } from '../../src/learning/model/build.ts'
import { createTask, type Task } from '../../src/learning/task.ts'
import { performMerge, type MergeJob } from '../../src/learning/merge/merge.ts'
import { mergeSchema } from '../../src/learning/merge/rules.ts'
import { train } from '../../src/learning/train.ts'
import type { TrainState } from '../../src/learning/training.ts'

const data = 'glyphs?limit=200&test=100'
let task: Task
let first: TrainState

beforeAll(async () => {
  const { shape, classes } = loadDataset(data)
  const schema = { shape: [...shape], classes }
  const model = { preset: 'mlp', hidden: [16] } as const
  task = createTask({
    format: 'starling/task/1',
    name: 'glyphs',
    model,
    tensors: await describeModel({ ...model, hidden: [...model.hidden] }, schema),
    data: schema,
    init: { kind: 'shared', seed: 1 },
    training: { optimizer: { kind: 'adam', learningRate: 0.01 }, batchSize: 20, localSteps: 5 },
    merge: { rule: 'average' },
    exchange: { mode: 'gossip', intervalMs: 0, deadlineMs: 1000 }
  })
  first = {
    parameters: initialise(task.layout, new Random('init')),
    optimizer: new Float32Array(),
    steps: 0
  }
})

function newTrainer(
  setup: Partial<TrainerSetup> = {},
  options: Partial<TrainerOptions> = {}
): TrainerWorker {
  const trainer = new TrainerWorker(
    {
      manifest: task.bytes,
      data,
      directories: {},
      backend: 'plan',
      fastMath: false,
      random: 'peer/batches',
      ...setup
    },
    options
  )
  onTestFinished(() => trainer.stop())
  return trainer
}

describe('the trainer', () => {
  it('says what it found', async () => {
    expect(await newTrainer().start()).toEqual({
      samples: 200,
      testSamples: 100,
      backend: 'plan',
      reason: expect.any(String) as string,
      stepMs: expect.any(Number) as number,
      layoutDigest: task.layout.digest
    })
  })

  it('trains as training on the spot does, bit for bit, and leaves what it was given', async () => {
    const digest = sha256Hex(first.parameters)
    const { manifest } = task
    const engine = await createEngine({ ...manifest, backend: 'plan' })
    const samples = loadDataset(data).train
    const expected = train(engine, samples, manifest.training, first, 7, new Random('peer/batches'))
    engine.dispose()

    // A view in the middle of a larger buffer, as the pieces of a frame are.
    const buffer = new Float32Array(first.parameters.length + 20)
    buffer.set(first.parameters, 10)
    const view = buffer.subarray(10, 10 + first.parameters.length)
    const trainer = newTrainer()
    const middle = await trainer.train({ ...first, parameters: view }, 3)
    const result = await trainer.train(middle, 4)

    expect(result.steps).toBe(7)
    expect(sha256Hex(result.parameters)).toBe(sha256Hex(expected.parameters))
    expect(sha256Hex(result.optimizer)).toBe(sha256Hex(expected.optimizer))
    expect(sha256Hex(view)).toBe(digest)
    expect(middle.parameters.length).toBe(first.parameters.length)
  })

  it('learns, as its evaluation shows, and leaves the event loop free meanwhile', async () => {
    const trainer = newTrainer()
    await trainer.start()
    const before = await trainer.evaluate(first.parameters)
    let turns = 0
    let isOver = false
    const turn = (): void => {
      turns++
      if (!isOver) setImmediate(turn)
    }
    setImmediate(turn)
    const trained = await trainer.train(first, 150)
    isOver = true
    const after = await trainer.evaluate(trained.parameters)

    expect(after.loss).toBeLessThan(before.loss)
    expect(after.accuracy).toBeGreaterThan(before.accuracy)
    expect(turns).toBeGreaterThan(10)
  })

  it('does what is asked together one after another', async () => {
    const trainer = newTrainer()
    const [one, evaluation, two] = await Promise.all([
      trainer.train(first, 2),
      trainer.evaluate(first.parameters),
      trainer.train(first, 2)
    ])
    expect(sha256Hex(one.parameters)).toBe(sha256Hex(two.parameters))
    expect(evaluation.accuracy).toBeLessThanOrEqual(1)
  })

  it('merges as merging on the spot does, and takes the others’ arrays over', async () => {
    const trainer = newTrainer()
    await trainer.start()
    const model = (from: string, seed: string) => {
      const parameters = initialise(task.layout, new Random(seed))
      return { from, parameters, weight: 1, lineage: from, age: 10 }
    }
    const job = (): MergeJob => ({
      own: model('ana', 'a'),
      others: [model('ben', 'b'), model('cleo', 'c')],
      dice: 'merge',
      bestLoss: Infinity
    })
    const given = job()
    const merged = await trainer.merge(given)

    const merging = { spec: task.manifest.merge, layout: task.layout }
    expect(merged).toEqual(performMerge(merging, job(), null))
    expect(given.own.parameters).toEqual(job().own.parameters)
    expect(given.others.map(({ parameters }) => parameters.length)).toEqual([0, 0])
  })

  it('judges merges on its held-out samples, and takes back what harms', async () => {
    const manifest = { ...task.manifest, merge: { ...task.manifest.merge, rollBack: true } }
    const trainer = newTrainer({ manifest: createTask(manifest).bytes })
    await trainer.start()
    const { parameters } = await trainer.train(first, 60)
    const turned = parameters.map((value) => -3 * value)
    const model = (from: string, of: Float32Array) => {
      return { from, parameters: of.slice(), weight: 1, lineage: 'ours', age: 10 }
    }
    const job = {
      own: model('ana', parameters),
      others: [model('eve', turned)],
      dice: 'merge',
      bestLoss: Infinity
    }
    const merged = await trainer.merge(job)

    expect(merged.rolledBack).toBe(true)
    expect(merged.parameters).toEqual(parameters)
    expect(merged.gap).toBeLessThan(-0.2)
  })

  it('looks into models of strangers with its own samples', async () => {
    const merge = mergeSchema.parse({ rule: 'lineage-gated' })
    const trainer = newTrainer({ manifest: createTask({ ...task.manifest, merge }).bytes })
    await trainer.start()
    const trained = async (from: string, age: number) => {
      const parameters = initialise(task.layout, new Random(from))
      const result = await trainer.train({ ...first, parameters }, 60)
      return { from, parameters: result.parameters, weight: 1, lineage: from, age }
    }
    const job = {
      own: await trained('ana', 10),
      others: [await trained('ben', 20)],
      dice: 'm',
      bestLoss: Infinity
    }
    const merged = await trainer.merge(job)

    expect(merged).toMatchObject({ lineage: 'ben', realigned: true, degraded: null })
  })

  it('of a peer without data starts with no samples', async () => {
    const trainer = newTrainer({ data: null })
    expect(await trainer.start()).toMatchObject({ samples: 0, testSamples: 0 })
    await expect(trainer.train(first, 1)).rejects.toMatchObject({ code: 'STARLING_BAD_DATA' })
  })

  it.each([
    ['STARLING_BAD_ARGUMENT', { data: 'glyhps' }],
    ['STARLING_BAD_DATA', { data: 'idx:/nowhere' }],
    ['STARLING_BAD_TASK', { manifest: new Uint8Array([1, 2, 3]) }]
  ] as const)('passes on %s, why it cannot start', async (code, setup) => {
    await expect(newTrainer(setup).start()).rejects.toMatchObject({ code })
  })

  it('refuses data that the task is not about, and says what would be', async () => {
    const { manifest } = task
    const other = { shape: [4], classes: 3 }
    const tensors = await describeModel({ preset: 'logreg' }, other)
    const wanted = createTask({ ...manifest, model: { preset: 'logreg' }, tensors, data: other })
    await expect(newTrainer({ manifest: wanted.bytes }).start()).rejects.toMatchObject({
      code: 'STARLING_TASK_MISMATCH',
      message: expect.stringContaining('shape [4] in 3 classes') as string
    })
  })

  it('refuses samples with one label for a task about sequences', async () => {
    const { data: same } = task.manifest
    const sequences = createTask({ ...task.manifest, data: { ...same, positions: 28 } })
    await expect(newTrainer({ manifest: sequences.bytes }).start()).rejects.toMatchObject({
      code: 'STARLING_TASK_MISMATCH',
      message: expect.stringMatching(
        /needs samples of .* at each of 28 positions, but .* in 10 classes: give other data/
      ) as string
    })
  })

  it('refuses a state of another model, and goes on', async () => {
    const trainer = newTrainer()
    const short = { ...first, parameters: first.parameters.subarray(1) }
    for (let time = 0; time < 4; time++) {
      await expect(trainer.train(short, 1)).rejects.toMatchObject({
        code: 'STARLING_SHAPE_MISMATCH'
      })
    }
    expect((await trainer.train(first, 1)).steps).toBe(1)
  })

  it('that hangs is replaced, and costs only the job it was at', async () => {
    const trainer = newTrainer({}, { trainDeadlineMs: 100 })
    const before = await trainer.evaluate(first.parameters)

    await expect(trainer.train(first, 1_000_000)).rejects.toMatchObject({
      code: 'STARLING_WORKER_FAILED',
      message: expect.stringContaining('no answer within 0.1 s') as string
    })
    expect(await trainer.evaluate(first.parameters)).toEqual(before)
  })

  it('that hangs three times in a row is not started again', async () => {
    const trainer = newTrainer({}, { trainDeadlineMs: 10 })
    for (const time of [1, 2, 3]) {
      await expect(trainer.train(first, 1_000_000)).rejects.toThrow(`(${time} in a row)`)
    }
    await expect(trainer.evaluate(first.parameters)).rejects.toMatchObject({
      code: 'STARLING_WORKER_FAILED',
      message: expect.stringContaining('is not started again') as string
    })
  })

  it('that runs out of memory takes nobody with it', async () => {
    await expect(newTrainer({}, { heapMiBMax: 4 }).start()).rejects.toMatchObject({
      code: 'STARLING_WORKER_FAILED',
      message: expect.stringContaining('memory') as string
    })
  })

  it('stops at once, in the middle of a job, and does no more', async () => {
    const trainer = newTrainer()
    await trainer.start()
    const long = expect(trainer.train(first, 1_000_000)).rejects.toThrow('the trainer was stopped')
    const waiting = expect(trainer.evaluate(first.parameters)).rejects.toThrow('was stopped')
    await trainer.stop()
    await long
    await waiting
    await expect(trainer.start()).rejects.toThrow('was stopped')
  })
})
