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
    const ticking = setInterval(() => turns++, 5)
    const trained = await trainer.train(first, 150)
    clearInterval(ticking)
    const after = await trainer.evaluate(trained.parameters)

    expect(after.loss).toBeLessThan(before.loss)
    expect(after.accuracy).toBeGreaterThan(before.accuracy)
    expect(turns).toBeGreaterThan(2)
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
