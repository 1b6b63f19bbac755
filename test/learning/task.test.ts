import { encode } from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { createTask, decodeTask } from '../../src/learning/task.ts'

const manifest = {
  format: 'starling/task/1',
  name: 'digits',
  model: { preset: 'mlp', hidden: [4] },
  tensors: [
    { name: 'w', shape: [3, 2], role: 'weight', initialiser: { kind: 'uniform', limit: 0.5 } }
  ],
  data: { shape: [3], classes: 2 },
  init: { kind: 'shared', seed: 1 },
  training: { optimizer: { kind: 'sgd', learningRate: 0.1 }, batchSize: 8, localSteps: 4 },
  merge: { rule: 'average' },
  exchange: { mode: 'gossip', intervalMs: 0, deadlineMs: 5_000 }
}

describe('a task', () => {
  it('is named by a CID that anybody can compute', () => {
    const task = createTask(manifest)
    expect(CID.parse(task.cid)).toMatchObject({ version: 1, code: 0x71 })
    expect(createTask(structuredClone(manifest)).cid).toBe(task.cid)
    expect(createTask({ ...manifest, name: 'other' }).cid).not.toBe(task.cid)
  })

  it('has one name whatever the order of its keys and with or without its defaults', () => {
    const reordered = Object.fromEntries(Object.entries(manifest).reverse())
    const spelledOut = { ...manifest, merge: { rule: 'average', weights: 'uniform' } }
    expect(createTask(reordered).cid).toBe(createTask(manifest).cid)
    expect(createTask(spelledOut).cid).toBe(createTask(manifest).cid)
  })

  it('keeps the name that it had before sequences were known', () => {
    expect(createTask(manifest).cid).toBe(
      'bafyreicwjwps4aofdfz5noqknrde24fp2jok4twb7c4e7afj52jz7xa3hu'
    )
  })

  it('may be about sequences, with up to 1,024 labels each', () => {
    const about = (positions: unknown) =>
      createTask({ ...manifest, data: { ...manifest.data, positions } })
    const refused = (positions: unknown) => () => about(positions)

    expect(decodeTask(about(2).bytes).manifest.data.positions).toBe(2)
    expect(about(1024).cid).not.toBe(about(2).cid)
    for (const wrong of [0, 1, 2.5, 1025, '2']) expect(refused(wrong)).toThrow(/data\.positions/)
  })

  it('survives the network', () => {
    const task = createTask(manifest)
    expect(decodeTask(task.bytes)).toEqual(task)
  })

  it.each([
    ['an unknown key', { ...manifest, nane: 'red' }, /no key 'nane'; did you mean 'name'/],
    [
      'a wrong value',
      { ...manifest, training: { ...manifest.training, batchSize: 0 } },
      /batchSize/
    ],
    ['no tensors', { ...manifest, tensors: [] }, /tensors/],
    [
      'a scale for a sequence',
      { ...manifest, data: { ...manifest.data, positions: 3, scale: { mean: 1, deviation: 2 } } },
      /data: a sequence \('positions'\) has no 'scale'/
    ],
    ['a name that is a path', { ...manifest, name: '../../etc' }, /name/],
    [
      'a NaN',
      {
        ...manifest,
        training: { ...manifest.training, optimizer: { kind: 'sgd', learningRate: NaN } }
      },
      /learningRate/
    ]
  ])('with %s is refused, naming it', (_what, wrong, named) => {
    expect(() => createTask(wrong)).toThrow(expect.objectContaining({ code: 'STARLING_BAD_TASK' }))
    expect(() => createTask(wrong)).toThrow(named)
  })

  it('is refused when its bytes are not the canonical ones', () => {
    const { tensors, ...rest } = manifest
    const reversed = Object.entries({ ...rest, tensors }).reverse()
    // The same map with its keys in another order: a well-formed encoding of the same task.
    const pieces = reversed.flatMap(([key, value]) => [...encode(key), ...encode(value)])
    const bytes = Uint8Array.from([0xa0 + reversed.length, ...pieces])
    expect(() => decodeTask(bytes)).toThrow(/canonical|dag-cbor/)
    expect(() => decodeTask(Uint8Array.of(0xff))).toThrow(/dag-cbor/)
    expect(() => decodeTask(encode({ format: 'starling/task/1' }))).toThrow(/not valid/)
  })
})
