import { describe, expect, it } from 'vitest'
import { ed25519Signer } from '../../peer/discovery/signer.ts'
import { Random } from '../../src/core/random.ts'
import { performMerge } from '../../src/learning/merge/merge.ts'
import type { Task } from '../../src/learning/task.ts'
import { participant } from '../../protocols/participant.ts'
import { readPeerAddress } from '../../peer/network/addresses.ts'
import type { Trainer } from '../../peer/chores.ts'
import { connect, startPeer, type Peer } from './swarm.ts'
import { tinyTask } from '../tiny-task.ts'

const task = tinyTask(1000)

/** Learning here is walking towards a number of one's own: what is merged lies in between. */
function walker(goal: number): Trainer {
  return {
    adopt: () => Promise.resolve(100),
    train: ({ parameters, optimizer, steps }, count) =>
      Promise.resolve({
        parameters: parameters.map((value) => value + (goal - value) / 2),
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
}

async function startParticipant(goal: number, known: Task | null, bootstrap?: Peer) {
  const addresses = bootstrap?.node.getMultiaddrs() ?? []
  return startPeer({
    trainer: walker(goal),
    bootstraps: addresses.map((address) => readPeerAddress(address.toString(), '--join')),
    machine: (self, privateKey) =>
      participant({ joinWaitMs: 5_000, quorum: 1, membershipIntervalMs: 200 })({
        self,
        random: new Random(self),
        signer: ed25519Signer(privateKey),
        task: known,
        wanted: null,
        checkpoint: null
      })
  })
}

describe('participants on the real network', () => {
  it('meet through one of them, fetch the task, and merge with each other', async () => {
    const ana = await startParticipant(0, task)
    const ben = await startParticipant(1, task, ana)
    const cleo = await startParticipant(2, null, ana)

    const adopted = await cleo.events.first('task-adopted')
    expect(adopted.task).toBe(task.cid)
    await ben.inputs.first('peerUp', ({ peer }) => peer === cleo.id) // nobody told them to
    for (const one of [ana, ben, cleo]) {
      for (const other of [ana, ben, cleo].filter((peer) => peer !== one)) {
        await one.events.first('merged', ({ with: partners }) => partners.includes(other.id))
      }
      expect(one.events.of('rejected')).toEqual([])
      expect(one.body.status().bugs).toBe(0)
    }

    await cleo.body.stop()
    await ana.events.first('peer-left', ({ peer }) => peer === cleo.id)
  })

  it('of two swarms of one task become one when a member of each meets the other', async () => {
    const ana = await startParticipant(0, task)
    const ben = await startParticipant(1, task, ana)
    const cleo = await startParticipant(2, task)
    const dora = await startParticipant(3, task, cleo)
    await ben.inputs.first('peerUp', ({ peer }) => peer === ana.id)
    await dora.inputs.first('peerUp', ({ peer }) => peer === cleo.id)

    await connect(ben, dora)

    await ana.inputs.first('peerUp', ({ peer }) => peer === cleo.id) // through their friends' friends
    for (const [one, other] of [
      [ana, cleo],
      [cleo, ana],
      [ana, dora],
      [ben, cleo]
    ] as const) {
      await one.events.first('merged', ({ with: partners }) => partners.includes(other.id))
    }
  })
})
