import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { announcementBytesMax } from '../../../src/core/limits.ts'
import {
  decodeAnnouncement,
  encodeAnnouncement,
  GossipManners,
  topicOf
} from '../../../peer/discovery/announcements.ts'
import { connect, startNode, startPeer } from '../swarm.ts'
import { tinyTask } from '../../tiny-task.ts'

const task = tinyTask(10)
const announcement = {
  task: task.cid,
  round: 4,
  steps: 400,
  loss: 0.25,
  accuracy: 0.875,
  addresses: ['/ip4/127.0.0.1/tcp/4001']
}

describe('an announcement', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
        (round, steps, loss) => {
          const said = { ...announcement, round, steps, loss: loss === null ? null : loss + 0 }
          expect(decodeAnnouncement(encodeAnnouncement(said))).toEqual(said)
        }
      )
    )
  })

  it('fits its bound, at the cost of addresses', () => {
    const addresses = Array.from({ length: 8 }, (_, i) => `/dns4/${'x'.repeat(240)}/tcp/${i}`)
    const bytes = encodeAnnouncement({ ...announcement, addresses: [...addresses, ...addresses] })
    expect(bytes.length).toBeLessThanOrEqual(announcementBytesMax)
    expect(decodeAnnouncement(bytes)?.addresses.slice(0, 2)).toEqual(addresses.slice(0, 2))
  })

  it('is nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (bytes) => {
        expect(decodeAnnouncement(bytes)).toBeUndefined()
      })
    )
    const more = encodeAnnouncement({ ...announcement, extra: 1 } as typeof announcement)
    expect(decodeAnnouncement(more)).toBeUndefined()
    expect(decodeAnnouncement(encodeAnnouncement({ ...announcement, accuracy: 2 }))).toBeUndefined()
  })
})

describe('gossip manners', () => {
  it('fall by ten a fault, and half is forgotten in ten minutes', () => {
    let nowMs = 0
    const manners = new GossipManners(() => nowMs)
    for (let i = 0; i < 9; i++) manners.fault('mal')
    expect(manners.score('mal')).toBe(-90)
    expect(Math.abs(manners.score('ana'))).toBe(0)
    nowMs = 600_000
    expect(manners.score('mal')).toBe(-45)
  })
})

describe('progress', () => {
  it('reaches three others, with the addresses of its author, and is remembered', async () => {
    const peers = await Promise.all([startPeer(), startPeer(), startPeer(), startPeer()])
    const [ana, ben, cleo, dan] = peers
    for (const peer of peers) peer.body.perform({ kind: 'adopt', task })
    // A chain: dan hears of ana only through ben and cleo.
    await connect(ana, ben)
    await connect(ben, cleo)
    await connect(cleo, dan)

    // Until the meshes have formed nobody is listening yet, so ana says it again.
    const say = setInterval(() => {
      ana.body.perform({ kind: 'emit', event: { kind: 'round-finished', round: 7 } })
    }, 100)
    await Promise.all(
      [ben, cleo, dan].map(({ inputs }) =>
        inputs.first('discovered', ({ contacts }) => contacts[0]?.peer === ana.id)
      )
    ).finally(() => clearInterval(say))

    const [heard] = dan.body.status().heard.filter(({ peer }) => peer === ana.id)
    expect(heard).toMatchObject({ round: 7, task: task.cid })
    expect(heard?.addresses).toEqual(ana.body.status().addresses)
  })

  it('that is malformed is neither believed nor passed on, and costs its sender', async () => {
    const [ana, ben, mal] = await Promise.all([startPeer(), startPeer(), startNode()])
    for (const peer of [ana, ben]) peer.body.perform({ kind: 'adopt', task })
    await connect(ana, ben)
    await mal.dial(ana.node.getMultiaddrs()[0]!)
    const topic = topicOf(task.cid)
    mal.services.pubsub?.subscribe(topic)
    let number = 0
    const lie = setInterval(() => {
      const text = `lie ${number++}`
      void mal.services.pubsub
        ?.publish(topic, new TextEncoder().encode(text))
        .catch(() => undefined)
    }, 50)
    const punished = Promise.withResolvers<void>()
    const check = setInterval(() => {
      if (ana.manners.score(mal.peerId.toString()) < -80) punished.resolve()
    }, 20)
    await punished.promise
    clearInterval(lie)
    clearInterval(check)

    expect(ana.body.status().heard).toEqual([])
    expect(Math.abs(ben.manners.score(ana.id))).toBe(0)
    expect(ana.body.status().bugs).toBe(0)
  })
})

describe('the DHT', () => {
  it('finds who else works on a task through a peer that does not', async () => {
    const soon = { providers: { pauseMs: 50, pauseMsMax: 400, deadlineMs: 5_000 } }
    const [ana, hub, ben] = await Promise.all([startPeer(soon), startPeer(), startPeer(soon)])
    for (const peer of [ana, ben]) peer.body.perform({ kind: 'adopt', task })
    await connect(ana, hub)
    await connect(ben, hub)
    const { contacts } = await ana.inputs.first('discovered', ({ contacts }) =>
      contacts.some(({ peer, addresses }) => peer === ben.id && addresses.length > 0)
    )
    expect(contacts.map(({ peer }) => peer)).not.toContain(ana.id)
    const found = contacts.find(({ peer }) => peer === ben.id)
    expect(found?.addresses).toEqual(ben.body.status().addresses)
  })
})
