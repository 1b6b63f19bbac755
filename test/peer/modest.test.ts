import { describe, expect, it } from 'vitest'
import { modestSchema } from '../../src/learning/exchange.ts'
import { performMerge } from '../../src/learning/merge/merge.ts'
import { ed25519Signer } from '../../peer/discovery/signer.ts'
import { Random } from '../../src/core/random.ts'
import { participant } from '../../protocols/participant.ts'
import type { Trainer } from '../../peer/chores.ts'
import { connect, startPeer } from './swarm.ts'
import { tinyTask } from '../tiny-task.ts'

const rounds = 4
const modest = modestSchema.parse({
  sampleSize: 2,
  pingTimeoutMs: 1_000,
  aggregationTimeoutMs: 3_000
})
const task = tinyTask(1000, {
  exchange: { mode: 'modest', intervalMs: 0, deadlineMs: 5_000, modest }
})

/** Learning here is walking towards 1. */
const walker: Trainer = {
  adopt: () => Promise.resolve(100),
  train: ({ parameters, optimizer, steps }, count) =>
    Promise.resolve({
      parameters: parameters.map((value) => value + (1 - value) / 2),
      optimizer,
      steps: steps + count,
      loss: 1,
      samples: count,
      rolledBack: false
    }),
  merge: (job) =>
    Promise.resolve(performMerge({ spec: task.manifest.merge, layout: task.layout }, job, null)),
  evaluate: () => Promise.resolve({ loss: 1, accuracy: 0.5 })
}

describe('a sample that trains each round, on the real network', () => {
  it('is called, averaged and called again, until all four peers have the last model', async () => {
    const peers = []
    for (let index = 0; index < 4; index++) {
      const peer = await startPeer({
        trainer: walker,
        machine: (self, privateKey) =>
          participant({ roundsMax: rounds, quorum: 3, degree: 0, membershipIntervalMs: 200 })({
            self,
            random: new Random(self),
            signer: ed25519Signer(privateKey),
            task,
            wanted: null,
            checkpoint: null
          })
      })
      for (const other of peers) await connect(peer, other)
      peers.push(peer)
    }

    for (const peer of peers) await peer.events.first('finished', ({ round }) => round === rounds)
    const called = peers.flatMap(({ events }) => events.of('called').map(({ round }) => round))
    for (let round = 1; round < rounds; round++) {
      expect(called.filter((each) => each === round).length).toBeGreaterThanOrEqual(2)
    }
    for (const { body, events } of peers) {
      expect(body.status().bugs).toBe(0)
      expect(events.of('banned')).toEqual([])
    }
  })
})
